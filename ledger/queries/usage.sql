-- What an account used from one day to before another: by day, by key, by route.
SELECT CASE WHEN grouping(day) = 0 THEN 'day' WHEN grouping(key_id) = 0 THEN 'key' ELSE 'route' END AS by,
       day::timestamp AT TIME ZONE 'UTC' AS day, used.key_id, used.route,
       (SELECT name FROM api_keys WHERE api_keys.key_id = used.key_id) AS key_name,
       greatest(sum(credits), 0)::bigint AS credits, greatest(sum(calls), 0)::bigint AS calls
FROM usage_days AS used
WHERE account_id = $1
  AND day >= ($2::timestamptz AT TIME ZONE 'UTC')::date
  AND day < ($3::timestamptz AT TIME ZONE 'UTC')::date
GROUP BY GROUPING SETS ((day), (used.key_id), (route))
ORDER BY by, day, credits DESC, key_id, route
