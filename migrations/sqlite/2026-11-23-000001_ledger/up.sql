-- The ledger and its Merkle nodes. Times, ids and sequence numbers are given by the program, never by the database.
CREATE TABLE ledger_entry (
    seq BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    at TIMESTAMP NOT NULL,
    actor TEXT NOT NULL,
    entry TEXT NOT NULL,
    data TEXT NOT NULL
);

CREATE TABLE ledger_hash (
    idx BIGINT NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL
);

CREATE TABLE ledger_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    size BIGINT NOT NULL,
    root BLOB NOT NULL
);

-- SHA-256 of nothing: the root of an empty tree (RFC 9162 section 2.1.1).
INSERT INTO ledger_head (id, size, root) VALUES (1, 0, X'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');

CREATE TABLE evidence (
    digest TEXT NOT NULL PRIMARY KEY,
    body BLOB NOT NULL
);

CREATE TABLE note (
    digest TEXT NOT NULL PRIMARY KEY,
    salt BLOB NOT NULL,
    text TEXT NOT NULL
);

CREATE TABLE actor_name (
    actor TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL
);

CREATE TABLE idempotency (
    actor TEXT NOT NULL,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    answer TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (actor, route, key)
);
CREATE INDEX idempotency_created_at ON idempotency (created_at);

CREATE TRIGGER ledger_entry_no_update BEFORE UPDATE ON ledger_entry
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER ledger_entry_no_delete BEFORE DELETE ON ledger_entry
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER ledger_hash_no_update BEFORE UPDATE ON ledger_hash
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER ledger_hash_no_delete BEFORE DELETE ON ledger_hash
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

-- `INSERT OR REPLACE` deletes without asking the trigger above.
CREATE TRIGGER ledger_entry_no_replace BEFORE INSERT ON ledger_entry
WHEN EXISTS (SELECT 1 FROM ledger_entry WHERE seq = NEW.seq)
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER ledger_hash_no_replace BEFORE INSERT ON ledger_hash
WHEN EXISTS (SELECT 1 FROM ledger_hash WHERE idx = NEW.idx)
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
