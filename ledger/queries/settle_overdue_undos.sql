-- Their debit would be in the book by now.
UPDATE undos
SET state = 'settled'
WHERE shard = $1 AND state = 'open' AND not_after < $2
RETURNING debit_op, account_id
