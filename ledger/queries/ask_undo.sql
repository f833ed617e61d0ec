-- Somebody asks to undo a debit, and this is what was decided.
INSERT INTO undos (debit_op, account_id, state, returned, kept, shard, op, not_after, asked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
