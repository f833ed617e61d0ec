-- One delivery, with what came.
SELECT event, kind, api_version, live, created_at, body, state, parked_code, parked_detail, attempts, postponed, account_id,
       received_at, next_at, applied_at
FROM stripe_deliveries
WHERE event = $1
