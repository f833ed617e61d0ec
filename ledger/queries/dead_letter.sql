-- One letter.
SELECT letter.shard, letter.incarnation, sequence, letter.kind, account_id, seq, op, credits, occurred_at, reason, follows,
       letter.incarnation <> shard.incarnation AS superseded, letter.state, at, resolved_at
FROM dead_letters AS letter
JOIN shards AS shard ON shard.kind = 'accounts' AND shard.number = letter.shard
WHERE letter.shard = $1 AND letter.incarnation = $2 AND sequence = $3
