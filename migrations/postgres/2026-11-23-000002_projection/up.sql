-- The projection: dropped and folded again from the ledger when its shape changes, never rewritten in place.
CREATE TABLE resource (
    kind TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    parent TEXT COLLATE "C" NOT NULL,
    tags TEXT NOT NULL,
    search TEXT NOT NULL,
    digest TEXT NOT NULL,
    doc TEXT NOT NULL,
    actor TEXT NOT NULL,
    recorded_at TIMESTAMP NOT NULL,
    since_seq BIGINT NOT NULL,
    until_seq BIGINT,
    valid_from TIMESTAMP,
    valid_to TIMESTAMP,
    PRIMARY KEY (kind, id, since_seq)
);
CREATE INDEX resource_reference ON resource (kind, reference);
CREATE INDEX resource_name ON resource (kind, name, since_seq) WHERE until_seq IS NULL;
CREATE INDEX resource_recorded ON resource (kind, since_seq) WHERE until_seq IS NULL;
CREATE INDEX resource_parent ON resource (kind, parent, since_seq) WHERE until_seq IS NULL;

CREATE TABLE lineage_edge (
    seq BIGINT NOT NULL,
    ordinal INTEGER NOT NULL,
    effect TEXT NOT NULL,
    cause TEXT NOT NULL,
    kind TEXT NOT NULL,
    role TEXT NOT NULL,
    origin TEXT NOT NULL,
    PRIMARY KEY (seq, ordinal)
);
CREATE INDEX lineage_edge_effect ON lineage_edge (effect);
CREATE INDEX lineage_edge_cause ON lineage_edge (cause);
