DROP TABLE erased_leaf;
DROP TABLE consent_checkpoint;
DROP TABLE consent_batch;
DROP TABLE consent_record;
