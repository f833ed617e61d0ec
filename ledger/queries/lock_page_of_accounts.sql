-- Locked until the commit: a change between reading an account and reading its lots would make an image of no version.
SELECT account_id
FROM accounts
WHERE shard = $1 AND account_id > $2 AND account_id <> ALL ($4)
ORDER BY account_id
LIMIT $3
FOR NO KEY UPDATE
