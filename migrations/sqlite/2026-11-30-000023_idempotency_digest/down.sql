-- Digests would be found by nobody who looks for keys.
DELETE FROM idempotency;
