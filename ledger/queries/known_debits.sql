-- Debits that the book already has of these ops; the bound keeps the search in one or two months' partitions. There is no upper one: between
-- two bounds the planner expects so little of a month that has just begun that it takes an index by time, and reads all of it.
SELECT account_id, op, lot_ids, lot_credits, budget_period_end, key_id, occurred_at
FROM entries
WHERE op = ANY ($1::uuid[]) AND kind = 'debit' AND occurred_at >= $2
