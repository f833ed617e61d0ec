-- Deliveries that wait, oldest first; whoever claims one has it until the lease is over.
WITH due AS (
    SELECT event
    FROM stripe_deliveries
    WHERE state = 'waiting' AND next_at <= $1
    ORDER BY received_at, event
    LIMIT $3
    FOR UPDATE SKIP LOCKED
)
UPDATE stripe_deliveries AS delivery
SET attempts = attempts + 1, next_at = $2
FROM due
WHERE delivery.event = due.event
RETURNING delivery.event, kind, api_version, live, created_at, body, state, parked_code, parked_detail, attempts, postponed,
          account_id, received_at, next_at, applied_at
