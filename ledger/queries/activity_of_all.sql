-- What happened to anybody in a span of time ($2 to before $3), latest first, each source after its own place ($4 and $5, $6 and
-- $7, $8 and $9) and only if it is asked for: changes of the audit ($10: these actions; $11: all but those of $12), Stripe's deliveries
-- ($13), mails ($14).
(
    SELECT at, 0::smallint AS source, audit_id AS number, NULL::text AS event, actor, action, account_id, subject, before, after, reason
    FROM audit
    WHERE $1::uuid IS NULL
      AND (at, audit_id) < ($4, $5) AND at < $3 AND at >= $2
      AND (action = ANY ($10) OR ($11 AND action <> ALL ($12)))
    ORDER BY at DESC, audit_id DESC
    LIMIT $15
)
UNION ALL
(
    SELECT received_at, 1::smallint, 0::bigint, event, 'stripe', kind, account_id, event, NULL::jsonb,
           jsonb_build_object('state', state, 'parked', parked_code, 'applied_at', applied_at, 'live', live),
           coalesce(parked_detail, postponed, state)
    FROM stripe_deliveries
    WHERE $13
      AND (received_at, event) < ($6, $7) AND received_at < $3 AND received_at >= $2
    ORDER BY received_at DESC, event DESC
    LIMIT $15
)
UNION ALL
(
    SELECT told.recorded_at, 2::smallint, mail_event_id, NULL::text, coalesce(told.actor, told.provider, 'tollgate'), 'mail_' || told.what,
           mails.account_id, coalesce(mails.mail_id::text, told.message_id), NULL::jsonb,
           jsonb_build_object('mail', mails.kind, 'address', coalesce(told.address, mails.address), 'code', told.code, 'at', told.at),
           coalesce(told.detail, '')
    FROM mail_events AS told
    LEFT JOIN mails ON mails.mail_id = told.mail_id
    WHERE $14
      AND (told.recorded_at, mail_event_id) < ($8, $9) AND told.recorded_at < $3 AND told.recorded_at >= $2
    ORDER BY told.recorded_at DESC, mail_event_id DESC
    LIMIT $15
)
ORDER BY at DESC, source, number DESC, event DESC
LIMIT $15
