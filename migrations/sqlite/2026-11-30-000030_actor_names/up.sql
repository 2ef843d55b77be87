-- The ledger holds the salted digest of a name. Names of before have neither salt nor digest.
ALTER TABLE actor_name ADD COLUMN salt BLOB NOT NULL DEFAULT x'';
