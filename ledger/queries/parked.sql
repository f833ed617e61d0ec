-- An event that was set aside and names an op: the op stands in its bytes as live state writes it.
SELECT shard, incarnation, sequence, reason, at, resolved_at
FROM dead_letters
WHERE position($1::bytea IN bytes) > 0
ORDER BY at
LIMIT 1
