-- Entries of one shard, in the order in which their fields are written.
COPY entries (
    account_id, shard, incarnation, sequence, seq, op, debit_op, kind, credits, lot_ids, lot_credits, lapsed, key_id, route,
    remaining_after, budget_used_after, budget_period_end, outbox_row, occurred_at)
FROM STDIN (FORMAT binary)
