-- Of each of these ops that drew: what it drew, what came back of it, and whether it drew within the time ($2 to $3; null = open).
WITH drawn AS (
    SELECT op, -sum(credits) AS credits, min(occurred_at) AS at
    FROM entries
    WHERE op = ANY ($1) AND kind IN ('debit', 'debit_duplicate')
    GROUP BY op
),
back AS (
    SELECT debit_op AS op, sum(credits + lapsed) AS credits
    FROM entries
    WHERE debit_op = ANY ($1) AND kind IN ('give_back', 'settle', 'duplicate_return')
    GROUP BY debit_op
)
SELECT op, drawn.credits::bigint AS drawn, coalesce(back.credits, 0)::bigint AS given_back,
       (($2::timestamptz IS NULL OR at >= $2) AND ($3::timestamptz IS NULL OR at < $3)) AS in_time
FROM drawn
LEFT JOIN back USING (op)
