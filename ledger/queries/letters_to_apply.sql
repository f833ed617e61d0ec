-- Open letters of an account in the order of the stream, and those whose account could not be told: a newer release may read them.
SELECT sequence, bytes, bytes_total, account_id IS NOT NULL AS is_its
FROM dead_letters
WHERE shard = $1 AND incarnation = $2 AND state = 'open' AND (account_id = $3 OR account_id IS NULL)
ORDER BY sequence
LIMIT $4
