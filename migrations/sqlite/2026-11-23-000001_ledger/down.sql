DROP TABLE idempotency;
DROP TABLE actor_name;
DROP TABLE note;
DROP TABLE evidence;
DROP TABLE ledger_head;
DROP TABLE ledger_hash;
DROP TABLE ledger_entry;
