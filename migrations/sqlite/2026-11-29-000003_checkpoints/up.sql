-- What was signed of the ledger's tree. A row without note was promised: of that size nothing else is ever signed, by any server.
CREATE TABLE ledger_checkpoint (
    size BIGINT NOT NULL PRIMARY KEY,
    root BLOB NOT NULL,
    note TEXT
);

CREATE TRIGGER ledger_checkpoint_no_update BEFORE UPDATE OF size, root ON ledger_checkpoint
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER ledger_checkpoint_no_delete BEFORE DELETE ON ledger_checkpoint
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

-- `INSERT OR REPLACE` deletes without asking the trigger above.
CREATE TRIGGER ledger_checkpoint_no_replace BEFORE INSERT ON ledger_checkpoint
WHEN EXISTS (SELECT 1 FROM ledger_checkpoint WHERE size = NEW.size)
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
