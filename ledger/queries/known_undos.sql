-- Undos of the debits of these ops. Nearly always there is none between the first op and the last, and none is searched for.
SELECT account_id, debit_op, state = 'open' AS open, returned, kept
FROM undos
WHERE debit_op = ANY ($1) AND EXISTS (SELECT FROM undos WHERE debit_op BETWEEN $2 AND $3)
