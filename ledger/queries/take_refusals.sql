-- Requests that a gateway has refused.
INSERT INTO refusals (request_id, account_id, key_id, route, code, price, detail, gateway, refused_at)
SELECT request_id, account_id, key_id, route, code, price, detail, $8, refused_at
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::jsonb[], $9::timestamptz[])
    AS refused (request_id, account_id, key_id, route, code, price, detail, refused_at)
ON CONFLICT (request_id) DO NOTHING
