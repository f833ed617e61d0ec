-- Debits that the book already has of these ops; the bounds keep the search in one or two months' partitions. One look into the index
-- an op (OFFSET keeps the planner from turning it around): a batch is as large as a young table, which would be read whole each time.
SELECT entry.account_id, asked.op, entry.lot_ids, entry.lot_credits, entry.budget_period_end, entry.key_id, entry.occurred_at
FROM unnest($1::uuid[]) AS asked (op)
CROSS JOIN LATERAL (
    SELECT account_id, lot_ids, lot_credits, budget_period_end, key_id, occurred_at
    FROM entries
    WHERE entries.op = asked.op AND kind = 'debit' AND occurred_at BETWEEN $2 AND $3
    OFFSET 0
) AS entry
