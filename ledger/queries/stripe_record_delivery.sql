-- A delivery once, whatever is sent again.
INSERT INTO stripe_deliveries (event, kind, api_version, live, created_at, body, received_at, next_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
ON CONFLICT ON CONSTRAINT stripe_deliveries_pkey DO NOTHING
