ALTER TABLE actor_name DROP COLUMN salt;
