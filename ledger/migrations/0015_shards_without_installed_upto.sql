-- How far an install is is told by its owner's metrics and readiness.
ALTER TABLE shards DROP COLUMN installed_upto;
