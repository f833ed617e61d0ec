-- Debits whose requests go on: their deadlines, never to an earlier instant.
UPDATE holds SET hold_until = greatest(holds.hold_until, extended.hold_until)
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS extended (op, account_id, hold_until)
WHERE holds.op = extended.op AND holds.account_id = extended.account_id
