-- Those of the accounts that have an open letter in this incarnation.
SELECT DISTINCT account_id
FROM dead_letters
WHERE shard = $1 AND incarnation = $2 AND account_id = ANY ($3) AND state = 'open'
