-- Debits that the book already has of these ops; the bounds keep the search in one or two months' partitions.
SELECT account_id, op, lot_ids, lot_credits, budget_period_end, key_id, occurred_at
FROM entries
WHERE op = ANY ($1) AND kind = 'debit' AND occurred_at BETWEEN $2 AND $3
