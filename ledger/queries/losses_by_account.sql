-- What an incident has cost, by account: what callers got and did not pay for, as far as their gateways have said.
SELECT account_id,
       count(*) AS debits,
       sum(credits)::bigint AS drawn,
       sum(coalesce(kept, credits))::bigint AS lost,
       count(*) FILTER (WHERE kept IS NULL) AS open_ends
FROM losses
WHERE incident_id = $1
GROUP BY account_id
ORDER BY lost DESC, account_id
