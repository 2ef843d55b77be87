-- Whether whoever holds parental responsibility said it: every record says so itself, in canonical JSON.
ALTER TABLE consent_record ADD COLUMN parental BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE consent_record SET parental = TRUE WHERE doc LIKE '%"indicated_by":"parental_holder"%';
-- Checkpoints of before do not know it; they can be made anew.
DELETE FROM consent_checkpoint;
ALTER TABLE consent_checkpoint ADD COLUMN parental BYTEA NOT NULL DEFAULT '';
