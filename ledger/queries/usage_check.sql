SELECT coalesce(moved.account_id, kept.account_id) AS account_id, coalesce(moved.day, kept.day)::timestamp AT TIME ZONE 'UTC' AS day,
       coalesce(moved.key_id, kept.key_id) AS key_id, coalesce(moved.route, kept.route) AS route,
       coalesce(moved.credits, 0) AS credits, coalesce(moved.calls, 0) AS calls,
       coalesce(kept.credits, 0) AS kept_credits, coalesce(kept.calls, 0) AS kept_calls
FROM moved
FULL JOIN (SELECT * FROM usage_days WHERE account_id = ANY ($1)) AS kept
    ON kept.account_id = moved.account_id AND kept.day = moved.day AND kept.route = moved.route
   AND coalesce(kept.key_id, '00000000-0000-0000-0000-000000000000') = coalesce(moved.key_id, '00000000-0000-0000-0000-000000000000')
WHERE coalesce(moved.credits, 0) <> coalesce(kept.credits, 0) OR coalesce(moved.calls, 0) <> coalesce(kept.calls, 0)
ORDER BY 1, 2, 4, 3
