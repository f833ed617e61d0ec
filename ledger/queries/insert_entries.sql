-- Entries of one shard, one array a column; lots come as array literals, because their number differs from row to row.
INSERT INTO entries (
    account_id, shard, incarnation, sequence, seq, op, debit_op, kind, credits, lot_ids, lot_credits, lapsed, key_id, route,
    remaining_after, budget_used_after, budget_period_end, outbox_row, occurred_at)
SELECT account_id, $1, CASE WHEN sequence IS NOT NULL THEN $2::bigint END, sequence, seq, op, debit_op, kind, credits,
       lot_ids::bigint[], lot_credits::bigint[], lapsed, key_id, route,
       remaining_after, budget_used_after, budget_period_end, outbox_row, occurred_at
FROM unnest(
    $3::uuid[], $4::bigint[], $5::bigint[], $6::uuid[], $7::uuid[], $8::text[], $9::bigint[], $10::text[], $11::text[], $12::bigint[],
    $13::uuid[], $14::text[], $15::bigint[], $16::bigint[], $17::timestamptz[], $18::bigint[], $19::timestamptz[]
) AS entry (
    account_id, sequence, seq, op, debit_op, kind, credits, lot_ids, lot_credits, lapsed,
    key_id, route, remaining_after, budget_used_after, budget_period_end, outbox_row, occurred_at)
