-- Erasable, outside the ledger: the dictionary of subjects (pseudonyms and salts, by the dense numbers bitmaps hold), loads of
-- members with the batches that came, and the members of dataset versions. The ledger holds their count and a salted root.
CREATE TABLE subject (
    n BIGINT NOT NULL PRIMARY KEY,
    kid TEXT COLLATE "C" NOT NULL,
    hash BYTEA NOT NULL,
    salt BYTEA NOT NULL,
    UNIQUE (kid, hash)
);

CREATE TABLE member_load (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    dataset_version TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    kid TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMP NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    batches BIGINT NOT NULL,
    records BIGINT NOT NULL
);
CREATE INDEX member_load_state ON member_load (state, actor);

CREATE TABLE member_batch (
    member_load TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    records BIGINT NOT NULL,
    root BYTEA NOT NULL,
    members BYTEA NOT NULL,
    PRIMARY KEY (member_load, number)
);

CREATE TABLE member_set (
    dataset_version TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    member_load TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    members BYTEA NOT NULL
);
CREATE INDEX member_set_seq ON member_set (seq);
