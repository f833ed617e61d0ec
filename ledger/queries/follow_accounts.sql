-- How far the accounts are followed. Only the holder of the shard's row writes these columns.
UPDATE accounts AS account
SET seq = followed.seq, budget_used = followed.used, budget_period_end = followed.period_end
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[]) AS followed (account_id, seq, used, period_end)
WHERE account.account_id = followed.account_id
