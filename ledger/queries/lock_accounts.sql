-- Locked until the commit, in the order in which a page locks them.
SELECT account_id
FROM accounts
WHERE shard = $1 AND account_id = ANY ($2)
ORDER BY account_id
FOR NO KEY UPDATE
