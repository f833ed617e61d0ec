-- Accounts of a shard ($1) after one ($2), by id.
SELECT account_id
FROM accounts
WHERE shard = $1 AND account_id > $2
ORDER BY account_id
LIMIT $3
