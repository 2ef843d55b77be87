ALTER TABLE member_load DROP COLUMN touched_at;
