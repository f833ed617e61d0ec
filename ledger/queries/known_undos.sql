-- Undos of the debits of these ops. There are few: those between the first op and the last are read, in place of a search for each op
-- (IS TRUE keeps the planner from it).
SELECT account_id, debit_op, state = 'open' AS open, returned, kept
FROM undos
WHERE debit_op BETWEEN $2 AND $3 AND (debit_op = ANY ($1)) IS TRUE
