-- Open letters that mark no account.
SELECT count(*)
FROM dead_letters AS letter
JOIN shards AS shard ON shard.kind = 'accounts' AND shard.number = letter.shard
WHERE letter.state = 'open'
AND (letter.incarnation <> shard.incarnation
     OR NOT EXISTS (SELECT FROM accounts WHERE accounts.account_id = letter.account_id AND accounts.shard = letter.shard))
