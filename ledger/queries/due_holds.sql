-- Debits that nobody settled or confirmed in time, that nobody has asked to undo, and of which no gateway has promised an end: those behind
-- the place ($3, $4), at most $5.
SELECT hold.account_id, hold.op, hold.drawn_at, hold.hold_until, mark.key
FROM holds AS hold
LEFT JOIN idempotency_marks AS mark USING (op, account_id)
WHERE hold.shard = $1 AND hold.hold_until <= $2 AND (hold.hold_until, hold.op) > ($3, $4)
AND NOT EXISTS (SELECT FROM journal_returns AS promised WHERE promised.op = hold.op AND promised.account_id = hold.account_id)
AND NOT EXISTS (SELECT FROM undos WHERE undos.debit_op = hold.op AND undos.account_id = hold.account_id)
ORDER BY hold.hold_until, hold.op
LIMIT $5
