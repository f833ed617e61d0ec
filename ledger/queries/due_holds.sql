-- Holds that nobody settled in time, and that nobody has asked to undo.
SELECT hold.account_id, hold.op, hold.hold_until, mark.key
FROM holds AS hold
LEFT JOIN idempotency_marks AS mark USING (op, account_id)
WHERE hold.shard = $1 AND hold.hold_until <= $2
AND NOT EXISTS (SELECT FROM undos WHERE undos.debit_op = hold.op AND undos.account_id = hold.account_id)
ORDER BY hold.hold_until
LIMIT $3
