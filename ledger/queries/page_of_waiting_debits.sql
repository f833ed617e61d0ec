-- The last of the debits of a shard that one look is about; locked in their order, because gateways' posts write to them, too.
SELECT max(row_id)
FROM (SELECT row_id FROM journal_debits WHERE shard = $1 ORDER BY row_id LIMIT $2 FOR UPDATE) AS page
