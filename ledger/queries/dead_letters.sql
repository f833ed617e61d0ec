-- Letters of one account or of all ($1), open ones or all ($2).
SELECT letter.shard, letter.incarnation, sequence, letter.kind, account_id, seq, op, credits, occurred_at, reason, follows,
       letter.incarnation <> shard.incarnation AS superseded, letter.state, at, resolved_at
FROM dead_letters AS letter
JOIN shards AS shard ON shard.kind = 'accounts' AND shard.number = letter.shard
WHERE ($1::uuid IS NULL OR account_id = $1) AND ($2 OR letter.state = 'open')
ORDER BY letter.shard, letter.incarnation, sequence
LIMIT $3
