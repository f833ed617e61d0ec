-- What would remain of each of these lots; null where the account has no such lot.
SELECT asked.lot_id, lot.remaining + delta AS after
FROM unnest($1::bigint[], $2::uuid[], $3::bigint[]) AS asked (lot_id, account_id, delta)
LEFT JOIN lots AS lot ON lot.lot_id = asked.lot_id AND lot.account_id = asked.account_id
ORDER BY asked.lot_id
