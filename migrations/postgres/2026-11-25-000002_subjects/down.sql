DROP TABLE member_set;
DROP TABLE member_batch;
DROP TABLE member_load;
DROP TABLE subject;
