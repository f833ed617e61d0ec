-- Holds that are settled, released or given back; of debits that are none, nothing.
DELETE FROM holds USING unnest($1::uuid[], $2::uuid[]) AS closed (op, account_id)
WHERE holds.op = closed.op AND holds.account_id = closed.account_id
