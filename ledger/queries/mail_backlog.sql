-- What waits to be sent, how long the oldest of it, and what an operator may have to look at.
SELECT count(*) FILTER (WHERE state = 'queued') AS queued,
       greatest(coalesce(floor(extract(epoch FROM clock_timestamp() - min(queued_at) FILTER (WHERE state = 'queued')) * 1000), 0), 0)::bigint
           AS queued_age_ms,
       count(*) FILTER (WHERE state = 'sending') AS sending,
       count(*) FILTER (WHERE state = 'unknown') AS unknown,
       count(*) FILTER (WHERE state = 'failed') AS failed
FROM mails
WHERE state IN ('queued', 'sending', 'unknown', 'failed')
