ALTER TABLE consent_checkpoint DROP COLUMN parental;
ALTER TABLE consent_record DROP COLUMN parental;
