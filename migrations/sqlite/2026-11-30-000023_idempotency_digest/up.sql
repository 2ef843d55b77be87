-- Keys are kept as digests from here on, of who sent them and what they are. Those kept in clear would be found by nobody, and may hold
-- somebody's address.
DELETE FROM idempotency;
