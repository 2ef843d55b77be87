DROP TABLE lineage_edge;
DROP TABLE resource;
