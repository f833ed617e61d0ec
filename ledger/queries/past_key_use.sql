-- What keys that count as one with a key had drawn before an entry, less what had come back: on a day ($4 to $5) and in the budget
-- period that ends at $6. What comes back counts on the day of its debit.
WITH one AS (
    SELECT key_id FROM api_keys WHERE rates_of = (SELECT rates_of FROM api_keys WHERE key_id = $2)
),
debits AS (
    SELECT op, min(occurred_at) AS at, -sum(credits) AS credits
    FROM entries
    WHERE account_id = $1 AND entry_id < $3 AND budget_period_end = $6 AND kind IN ('debit', 'debit_duplicate')
      AND key_id IN (SELECT key_id FROM one)
    GROUP BY op
),
returns AS (
    SELECT debit_op AS op, sum(credits + lapsed) AS credits
    FROM entries
    WHERE account_id = $1 AND entry_id < $3 AND budget_period_end = $6 AND kind IN ('give_back', 'settle', 'duplicate_return')
    GROUP BY debit_op
)
SELECT coalesce(sum(debits.credits - coalesce(returns.credits, 0)) FILTER (WHERE at >= $4 AND at < $5), 0)::bigint AS day_used,
       coalesce(sum(debits.credits - coalesce(returns.credits, 0)), 0)::bigint AS period_used
FROM debits
LEFT JOIN returns USING (op)
