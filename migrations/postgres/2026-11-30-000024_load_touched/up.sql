-- When the last batch of a load came; empty where none did.
ALTER TABLE member_load ADD COLUMN touched_at TIMESTAMP;
