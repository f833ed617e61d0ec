-- Debits that the book already has of these ops; the time bound keeps the search out of old months.
SELECT account_id, op, lot_ids, lot_credits, budget_period_end
FROM entries
WHERE op = ANY ($1) AND kind = 'debit' AND occurred_at >= $2
