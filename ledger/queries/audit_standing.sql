-- Debits of a time ($1 to $2; null = open) and of these accounts (null = all) of which something stays drawn, and how much.
WITH drawn AS (
    SELECT account_id, op, -sum(credits) AS credits
    FROM entries
    WHERE kind IN ('debit', 'debit_duplicate')
      AND ($1::timestamptz IS NULL OR occurred_at >= $1) AND ($2::timestamptz IS NULL OR occurred_at < $2)
      AND ($3::uuid[] IS NULL OR account_id = ANY ($3))
    GROUP BY account_id, op
),
back AS (
    SELECT account_id, debit_op AS op, sum(credits + lapsed) AS credits
    FROM entries
    WHERE kind IN ('give_back', 'settle', 'duplicate_return') AND ($3::uuid[] IS NULL OR account_id = ANY ($3))
    GROUP BY account_id, debit_op
)
SELECT count(*) AS debits, coalesce(sum(drawn.credits - coalesce(back.credits, 0)), 0)::bigint AS credits
FROM drawn
LEFT JOIN back USING (account_id, op)
WHERE drawn.credits > coalesce(back.credits, 0)
