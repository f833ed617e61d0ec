-- Parked deliveries that waited for one of these names: to be applied again, or settled with them.
UPDATE stripe_deliveries
SET state = CASE WHEN is_done_then THEN 'applied' ELSE 'waiting' END,
    applied_at = CASE WHEN is_done_then THEN $3 END,
    account_id = coalesce($2, account_id),
    next_at = $3,
    parked_code = NULL,
    parked_detail = NULL,
    waits_for = '{}'
WHERE state = 'parked' AND waits_for && $1
RETURNING event
