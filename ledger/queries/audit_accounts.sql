-- What the entries of each account come to, by what they are, beside what its lots hold. What a give-back returned to a lot that had
-- expired meanwhile counts as given back, and as expired.
WITH asked AS (
    SELECT account_id, overdraft FROM accounts WHERE account_id = ANY ($1)
),
moved AS (
    SELECT account_id,
           sum(credits) FILTER (WHERE kind = 'grant') AS granted,
           -sum(credits) FILTER (WHERE kind IN ('debit', 'debit_duplicate')) AS drawn,
           sum(credits + lapsed) FILTER (WHERE kind IN ('give_back', 'settle', 'duplicate_return')) AS given_back,
           coalesce(sum(lapsed), 0) - coalesce(sum(credits) FILTER (WHERE kind = 'expire'), 0) AS expired,
           -sum(credits) FILTER (WHERE kind = 'claw_back') AS clawed_back,
           count(*) FILTER (WHERE kind IN ('debit', 'debit_duplicate')) AS debits,
           count(*) FILTER (WHERE kind IN ('give_back', 'duplicate_return')) AS give_backs
    FROM entries
    JOIN asked USING (account_id)
    GROUP BY account_id
),
held AS (
    SELECT account_id, sum(original) AS original, sum(remaining) AS remaining FROM lots JOIN asked USING (account_id) GROUP BY account_id
)
SELECT account_id, overdraft,
       coalesce(original, 0)::bigint AS original, coalesce(remaining, 0)::bigint AS remaining,
       coalesce(granted, 0)::bigint AS granted, coalesce(drawn, 0)::bigint AS drawn, coalesce(given_back, 0)::bigint AS given_back,
       coalesce(expired, 0)::bigint AS expired, coalesce(clawed_back, 0)::bigint AS clawed_back,
       coalesce(debits, 0) AS debits, coalesce(give_backs, 0) AS give_backs
FROM asked
LEFT JOIN moved USING (account_id)
LEFT JOIN held USING (account_id)
ORDER BY account_id
