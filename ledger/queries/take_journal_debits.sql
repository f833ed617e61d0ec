-- Debits that the book does not have yet, and that were not found lost.
INSERT INTO journal_debits (op, account_id, shard, incarnation, sequence, credits, drawn_at)
SELECT drawn.op, drawn.account_id, account.shard, drawn.incarnation, drawn.sequence, drawn.credits, drawn.drawn_at
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[])
    AS drawn (op, account_id, incarnation, sequence, credits, drawn_at)
JOIN accounts AS account USING (account_id)
WHERE NOT EXISTS (SELECT FROM losses WHERE losses.op = drawn.op AND losses.account_id = drawn.account_id)
ON CONFLICT (op, account_id) DO NOTHING
