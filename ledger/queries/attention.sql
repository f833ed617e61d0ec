-- What waits for an operator, each kind counted up to a thousand by its own index; mails and incidents since $1.
WITH latest_incidents AS (
    SELECT at, kind, detail FROM incidents ORDER BY incident_id DESC LIMIT 1000
)
SELECT (SELECT count(*) FROM (SELECT FROM dead_letters WHERE state = 'open' LIMIT 1000) AS found) AS dead_letters,
       (SELECT count(*) FROM (SELECT FROM dead_letter_decisions WHERE state IN ('asked', 'applied') LIMIT 1000) AS found) AS decisions,
       (SELECT count(*) FROM (SELECT FROM stripe_deliveries WHERE state = 'parked' LIMIT 1000) AS found) AS deliveries,
       (SELECT count(*) FILTER (WHERE queued_at >= $1)
        FROM (SELECT queued_at FROM mails WHERE state = 'failed' ORDER BY mail_id DESC LIMIT 1000) AS found) AS mails_failed,
       (SELECT count(*) FILTER (WHERE queued_at >= $1)
        FROM (SELECT queued_at FROM mails WHERE state = 'bounced' ORDER BY mail_id DESC LIMIT 1000) AS found) AS mails_bounced,
       (SELECT count(*) FILTER (WHERE queued_at >= $1)
        FROM (SELECT queued_at FROM mails WHERE state = 'complained' ORDER BY mail_id DESC LIMIT 1000) AS found) AS mails_complained,
       (SELECT count(*) FILTER (WHERE queued_at >= $1)
        FROM (SELECT queued_at FROM mails WHERE state = 'unknown' ORDER BY mail_id DESC LIMIT 1000) AS found) AS mails_unknown,
       (SELECT count(*) FROM latest_incidents
        WHERE at >= $1 AND NOT (kind = 'rebuild' AND detail ->> 'replaced' = '0')) AS incidents
