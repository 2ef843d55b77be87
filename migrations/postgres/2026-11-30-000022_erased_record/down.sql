DROP TABLE erased_record;
