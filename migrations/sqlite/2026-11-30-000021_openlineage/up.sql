-- Not facts, and erasable: events of OpenLineage as they came, by the digest the ledger keeps salted, and those that could not be
-- read.
CREATE TABLE lineage_event (
    digest TEXT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    salt BLOB NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX lineage_event_seq ON lineage_event (seq);

CREATE TABLE lineage_quarantine (
    id TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL,
    actor TEXT NOT NULL,
    received_at TIMESTAMP NOT NULL,
    reason TEXT NOT NULL,
    size BIGINT NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX lineage_quarantine_digest ON lineage_quarantine (digest);
