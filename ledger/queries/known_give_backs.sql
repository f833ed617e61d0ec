-- Which of these debits were given back, or settled.
SELECT account_id, debit_op
FROM entries
WHERE debit_op = ANY ($1) AND kind IN ('give_back', 'settle') AND occurred_at >= $2
