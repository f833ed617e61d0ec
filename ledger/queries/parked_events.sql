-- What accounts have parked in the incarnation that lives.
SELECT letter.account_id, count(*), coalesce(sum(letter.credits), 0)::bigint
FROM dead_letters AS letter
JOIN accounts AS account ON account.account_id = letter.account_id AND account.shard = letter.shard
JOIN shards AS shard ON shard.kind = 'accounts' AND shard.number = letter.shard AND shard.incarnation = letter.incarnation
WHERE letter.account_id = ANY ($1) AND letter.state = 'open'
GROUP BY letter.account_id
