-- Accounts in which nothing differed. Two that verify at once may come in any order: the later time stays.
INSERT INTO verified (account_id, seq, at)
SELECT account_id, seq, $3 FROM unnest($1::uuid[], $2::bigint[]) AS found (account_id, seq)
ORDER BY account_id
ON CONFLICT (account_id) DO UPDATE SET seq = excluded.seq, at = excluded.at WHERE verified.at <= excluded.at
