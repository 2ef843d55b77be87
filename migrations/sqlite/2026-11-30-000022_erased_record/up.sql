-- Ids of records that were erased with the person they were of: nothing else of them stays. Sent again, they make nobody known.
CREATE TABLE erased_record (
    record_id BLOB NOT NULL PRIMARY KEY
);
