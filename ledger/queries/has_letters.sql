-- Whether an account has open letters in the incarnation that lives.
SELECT EXISTS (
    SELECT FROM dead_letters AS letter
    JOIN shards AS shard ON shard.kind = 'accounts' AND shard.number = letter.shard AND shard.incarnation = letter.incarnation
    WHERE letter.account_id = $1 AND letter.state = 'open')
