-- Erasable, and restricted: what erased people said of consent, kept for as long as claims may be made and apart from everything
-- else. Only its own route reads it.
CREATE TABLE consent_proof (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kid TEXT COLLATE "C" NOT NULL,
    hash BYTEA NOT NULL,
    doc TEXT COLLATE "C" NOT NULL
);
CREATE INDEX consent_proof_subject ON consent_proof (kid, hash);
