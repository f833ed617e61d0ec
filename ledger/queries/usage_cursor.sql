-- The cursor of a shard, locked until the commit; made where there is none.
INSERT INTO usage_cursors (shard)
VALUES ($1)
ON CONFLICT (shard) DO UPDATE SET shard = excluded.shard
RETURNING incarnation, sequence
