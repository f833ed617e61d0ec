-- The entries of debits to which an op belongs: as their own, or as what closed or asked to close them.
WITH asked AS (
    SELECT account_id, coalesce(debit_op, op) AS debit_op FROM entries WHERE op = $1
    UNION
    SELECT account_id, debit_op FROM entries WHERE debit_op = $1
)
SELECT entry_id, entries.account_id, incarnation, sequence, seq, op, entries.debit_op, kind, credits, lot_ids, lot_credits, lapsed, key_id,
       route, remaining_after, budget_used_after, budget_period_end, outbox_row, occurred_at, shard, recorded_at
FROM entries
JOIN asked ON entries.account_id = asked.account_id AND entries.op = asked.debit_op
UNION
SELECT entry_id, entries.account_id, incarnation, sequence, seq, op, entries.debit_op, kind, credits, lot_ids, lot_credits, lapsed, key_id,
       route, remaining_after, budget_used_after, budget_period_end, outbox_row, occurred_at, shard, recorded_at
FROM entries
JOIN asked ON entries.account_id = asked.account_id AND entries.debit_op = asked.debit_op
ORDER BY entry_id
