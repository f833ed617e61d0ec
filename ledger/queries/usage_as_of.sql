-- Up to when usage is counted: now, where it has all that the book has of the account's shard.
SELECT CASE
           WHEN (counted.incarnation, counted.sequence) = (shards.incarnation, coalesce(shards.applied_sequence, -1)) THEN clock_timestamp()
           ELSE coalesce(counted.counted_to, 'epoch')
       END
FROM accounts
JOIN shards ON shards.kind = 'accounts' AND shards.number = accounts.shard
LEFT JOIN usage_cursors AS counted ON counted.shard = accounts.shard
WHERE account_id = $1
