-- Which of these debits were given back.
SELECT account_id, debit_op
FROM entries
WHERE debit_op = ANY ($1) AND kind = 'give_back' AND occurred_at >= $2
