-- What was lost, of an incident, of an account, or in all.
SELECT count(*) AS debits,
       coalesce(sum(credits), 0)::bigint AS drawn,
       coalesce(sum(coalesce(kept, credits)), 0)::bigint AS lost
FROM losses
WHERE ($1::bigint IS NULL OR incident_id = $1) AND ($2::uuid IS NULL OR account_id = $2)
