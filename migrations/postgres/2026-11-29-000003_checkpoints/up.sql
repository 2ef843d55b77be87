-- What was signed of the ledger's tree. A row without note was promised: of that size nothing else is ever signed, by any server.
CREATE TABLE ledger_checkpoint (
    size BIGINT NOT NULL PRIMARY KEY,
    root BYTEA NOT NULL,
    note TEXT
);

CREATE TRIGGER ledger_checkpoint_append_only BEFORE UPDATE OF size, root OR DELETE OR TRUNCATE ON ledger_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only();
