-- Which of these debits were given back, or settled. By the index, as known debits are.
SELECT entry.account_id, asked.debit_op
FROM unnest($1::uuid[]) AS asked (debit_op)
CROSS JOIN LATERAL (
    SELECT account_id
    FROM entries
    WHERE entries.debit_op = asked.debit_op AND kind IN ('give_back', 'settle') AND occurred_at >= $2
    OFFSET 0
) AS entry
