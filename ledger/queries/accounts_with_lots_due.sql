-- Locks the accounts that have lots due, in one order for everybody.
SELECT account_id
FROM accounts
WHERE account_id IN (
    SELECT account_id
    FROM lots
    WHERE shard = $1 AND swept_at IS NULL AND sweep_row IS NULL AND expires_at <= $2
    ORDER BY expires_at
    LIMIT $3
)
ORDER BY account_id
FOR NO KEY UPDATE
