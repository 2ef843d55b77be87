DROP TABLE lineage_quarantine;
DROP TABLE lineage_event;
