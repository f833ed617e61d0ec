-- What happened to these mails, as it was recorded.
SELECT events.mail_id, what, address, code, detail, actor, provider, at
FROM unnest($1::bigint[]) AS wanted (mail_id)
CROSS JOIN LATERAL (
    SELECT * FROM mail_events WHERE mail_events.mail_id = wanted.mail_id ORDER BY mail_event_id LIMIT $2
) AS events
ORDER BY events.mail_id, mail_event_id
