DROP TABLE consent_proof;
