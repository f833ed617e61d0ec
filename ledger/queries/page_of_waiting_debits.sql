-- The debits of a shard that one look is about, and no others: what is posted meanwhile waits for the next. Locked in their order, because
-- gateways' posts write to them, too.
SELECT row_id
FROM journal_debits
WHERE shard = $1
ORDER BY row_id
LIMIT $2
FOR UPDATE
