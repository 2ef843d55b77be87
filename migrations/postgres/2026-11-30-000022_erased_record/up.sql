-- Ids of records that were erased with the person they were of: nothing else of them stays. Sent again, they make nobody known.
CREATE TABLE erased_record (
    record_id BYTEA NOT NULL PRIMARY KEY
);
