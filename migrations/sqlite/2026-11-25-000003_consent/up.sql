-- Erasable, outside the ledger: what people said, each under the entry that commits to its batch and its place in it. Times are
-- microseconds since 1970: they are compared, never shown from here.
CREATE TABLE consent_record (
    seq BIGINT NOT NULL,
    pos BIGINT NOT NULL,
    lane BIGINT NOT NULL,
    n BIGINT NOT NULL,
    said SMALLINT NOT NULL,
    explicit BOOLEAN NOT NULL,
    said_at BIGINT NOT NULL,
    holds_until BIGINT,
    invalid_from BIGINT,
    record_id BLOB NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (seq, pos)
);
CREATE UNIQUE INDEX consent_record_id ON consent_record (record_id);
CREATE INDEX consent_record_subject ON consent_record (n, lane, seq, pos);
CREATE INDEX consent_record_lane ON consent_record (lane, seq, pos);
CREATE INDEX consent_record_said_at ON consent_record (lane, said_at);
CREATE INDEX consent_record_until ON consent_record (lane, holds_until) WHERE holds_until IS NOT NULL;
CREATE INDEX consent_record_invalid ON consent_record (lane, invalid_from) WHERE said = 6;

-- Not erasable, and telling nothing: the salted commitments of a batch in order, by which each record is proved.
CREATE TABLE consent_batch (
    seq BIGINT NOT NULL PRIMARY KEY,
    leaves BLOB NOT NULL
);

-- Not facts: what stood at a moment, so that a later one need not begin at the beginning. Erasable.
CREATE TABLE consent_checkpoint (
    lane BIGINT NOT NULL,
    version BIGINT NOT NULL,
    moment BIGINT NOT NULL,
    until BIGINT NOT NULL,
    spoken BLOB NOT NULL,
    stands BLOB NOT NULL,
    explicit BLOB NOT NULL,
    PRIMARY KEY (lane, version, moment)
);

-- Not erasable, and telling nothing: the commitments to people who were erased from members, so that what the ledger commits to
-- can still be shown. `part` is the batch; of a corrected set 0 where the person was left out, 1 where not.
CREATE TABLE erased_leaf (
    owner TEXT NOT NULL,
    part BIGINT NOT NULL,
    leaf BLOB NOT NULL,
    PRIMARY KEY (owner, part, leaf)
);
