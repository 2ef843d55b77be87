-- Erasable, outside the ledger: the dictionary of subjects (pseudonyms and salts, by the dense numbers bitmaps hold), loads of
-- members with the batches that came, and the members of dataset versions. The ledger holds their count and a salted root.
CREATE TABLE subject (
    n BIGINT NOT NULL PRIMARY KEY,
    kid TEXT NOT NULL,
    hash BLOB NOT NULL,
    salt BLOB NOT NULL,
    UNIQUE (kid, hash)
);

CREATE TABLE member_load (
    id TEXT NOT NULL PRIMARY KEY,
    dataset_version TEXT NOT NULL,
    scope TEXT NOT NULL,
    kid TEXT NOT NULL,
    actor TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    state TEXT NOT NULL,
    batches BIGINT NOT NULL,
    records BIGINT NOT NULL
);
CREATE INDEX member_load_state ON member_load (state, actor);

CREATE TABLE member_batch (
    member_load TEXT NOT NULL,
    number BIGINT NOT NULL,
    digest TEXT NOT NULL,
    records BIGINT NOT NULL,
    root BLOB NOT NULL,
    members BLOB NOT NULL,
    PRIMARY KEY (member_load, number)
);

CREATE TABLE member_set (
    dataset_version TEXT NOT NULL PRIMARY KEY,
    member_load TEXT NOT NULL,
    seq BIGINT NOT NULL,
    members BLOB NOT NULL
);
CREATE INDEX member_set_seq ON member_set (seq);
