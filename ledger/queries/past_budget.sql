-- What was drawn in the budget period that ends at $4, less what came back: up to an instant, or before an entry.
SELECT coalesce(sum(CASE WHEN kind IN ('debit', 'debit_duplicate') THEN -credits ELSE -credits - lapsed END), 0)::bigint
FROM entries
WHERE account_id = $1 AND occurred_at <= $2 AND ($3::bigint IS NULL OR entry_id < $3) AND budget_period_end = $4
  AND kind IN ('debit', 'debit_duplicate', 'give_back', 'settle', 'duplicate_return')
