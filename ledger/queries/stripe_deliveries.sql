-- Deliveries without their bodies, latest first, after a cursor.
SELECT event, kind, api_version, live, created_at, ''::bytea AS body, state, parked_code, parked_detail, attempts, postponed,
       account_id, received_at, next_at, applied_at
FROM stripe_deliveries
WHERE ($1::text IS NULL OR state = $1)
  AND ($2::text IS NULL OR kind = $2)
  AND ($3::uuid IS NULL OR account_id = $3)
  AND ($4::timestamptz IS NULL OR (received_at, event) < ($4, $5))
ORDER BY received_at DESC, event DESC
LIMIT $6
