-- Which of these ops the book has debits of. By the index, as known debits are.
SELECT asked.op, entry.account_id
FROM unnest($1::uuid[]) AS asked (op)
CROSS JOIN LATERAL (
    SELECT account_id
    FROM entries
    WHERE entries.op = asked.op AND kind = 'debit' AND occurred_at BETWEEN $2 AND $3
    OFFSET 0
) AS entry
