-- What was decided about an undo, found by the op of the debit or by that of the undo.
SELECT debit_op, account_id, op, state = 'open' AS open, returned, not_after, asked_at
FROM undos
WHERE debit_op IN (SELECT $1::uuid UNION SELECT debit_op FROM entries WHERE op = $1 AND kind = 'undo')
ORDER BY asked_at
LIMIT 1
