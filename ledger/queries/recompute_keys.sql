-- Of each key against which others count: what its days say, beside the debits of those keys and what came back of them.
WITH drawn AS (
    SELECT account_id, key_id, sum(drawn)::bigint AS credits FROM key_days WHERE account_id = ANY ($1) GROUP BY account_id, key_id
),
debits AS (
    SELECT entries.account_id, entries.op, keys.rates_of AS key_id, sum(-entries.credits) AS credits
    FROM entries
    JOIN api_keys AS keys USING (key_id)
    WHERE entries.account_id = ANY ($1) AND entries.kind IN ('debit', 'debit_duplicate')
    GROUP BY entries.account_id, entries.op, keys.rates_of
),
returns AS (
    SELECT account_id, debit_op AS op, sum(credits + lapsed) AS credits
    FROM entries
    WHERE account_id = ANY ($1) AND kind IN ('give_back', 'settle', 'duplicate_return')
    GROUP BY account_id, debit_op
),
entered AS (
    SELECT account_id, key_id, sum(debits.credits - coalesce(returns.credits, 0))::bigint AS credits
    FROM debits
    LEFT JOIN returns USING (account_id, op)
    GROUP BY account_id, key_id
)
SELECT account_id, key_id, coalesce(drawn.credits, 0) AS drawn, coalesce(entered.credits, 0) AS entries
FROM drawn
FULL JOIN entered USING (account_id, key_id)
ORDER BY account_id, key_id
