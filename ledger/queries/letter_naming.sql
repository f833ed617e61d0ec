-- The first letter whose event was made by an op, or names it: an op stands in the bytes as live state writes it.
SELECT letter.shard, letter.incarnation, sequence, letter.kind, account_id, seq, op, credits, occurred_at, reason, follows,
       letter.incarnation <> shard.incarnation AS superseded, letter.state, at, resolved_at
FROM dead_letters AS letter
JOIN shards AS shard ON shard.kind = 'accounts' AND shard.number = letter.shard
WHERE op = $1 OR position($2::bytea IN bytes) > 0
ORDER BY (op = $1) DESC NULLS LAST, at, letter.shard, sequence
LIMIT 1
