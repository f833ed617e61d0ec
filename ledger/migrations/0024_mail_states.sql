-- How far each mail is, and the evidence for it.
ALTER TABLE mails
    ADD COLUMN state text NOT NULL DEFAULT 'queued',
    ADD COLUMN message_id text NOT NULL DEFAULT ('tollgate.' || replace(gen_random_uuid()::text, '-', '')),
    ADD COLUMN addresses text[] NOT NULL DEFAULT '{}',
    ADD COLUMN turn bigint NOT NULL DEFAULT 0,
    ADD COLUMN attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN next_try_at timestamptz NOT NULL DEFAULT 'epoch',
    ADD COLUMN last_error text,
    ADD COLUMN held_reason text,
    ADD COLUMN handed_over_at timestamptz,
    ADD COLUMN provider_id text,
    ADD COLUMN rearmed_at timestamptz,
    ADD CONSTRAINT mails_state_known CHECK (state IN
        ('queued', 'sending', 'sent', 'delivered', 'bounced', 'complained', 'suppressed', 'held_back', 'failed', 'unknown')),
    ADD CONSTRAINT mails_message_id_once UNIQUE (message_id),
    ADD CONSTRAINT mails_held_back_has_reason CHECK (state <> 'held_back' OR held_reason IS NOT NULL),
    ADD CONSTRAINT mails_sending_has_addresses CHECK (state <> 'sending' OR cardinality(addresses) > 0);

-- Nobody sent mails before: what waits from then is old news.
UPDATE mails SET state = 'held_back', held_reason = 'before_sending';

CREATE INDEX mails_due ON mails (next_try_at, mail_id) WHERE state IN ('queued', 'sending');
CREATE INDEX mails_by_account ON mails (account_id, mail_id DESC);
CREATE INDEX mails_by_state ON mails (state, mail_id DESC);
CREATE INDEX mails_handed_over ON mails (account_id, handed_over_at) WHERE handed_over_at IS NOT NULL;
CREATE INDEX mails_by_provider_id ON mails (provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX mails_low_balance ON mails (account_id, mail_id DESC) WHERE kind = 'low_balance';
CREATE INDEX mails_switched_off ON mails (mail_id) WHERE state = 'held_back' AND held_reason = 'switched_off';
COMMENT ON COLUMN mails.state IS
    'queued, sending (may be in the server''s hands), sent (the server took it); then what the provider says; or why it was not sent.';
COMMENT ON COLUMN mails.message_id IS 'Left part of the Message-ID: the same each time it is sent.';
COMMENT ON COLUMN mails.addresses IS 'Whom it was handed over for the last time.';
COMMENT ON COLUMN mails.turn IS 'Raised by each claim: whoever holds an older one can''t hand the mail over any more.';
COMMENT ON COLUMN mails.attempts IS 'Claims since it was queued, or since an operator queued it again.';
COMMENT ON COLUMN mails.next_try_at IS 'Not to be claimed before: a lease, a pause after a failure, or the account''s rate. While sending: when it counts as unknown.';
COMMENT ON COLUMN mails.last_error IS 'What was in its way the last time.';
COMMENT ON COLUMN mails.held_reason IS 'Why it was held back; kept when it is queued again.';
COMMENT ON COLUMN mails.handed_over_at IS 'When it was handed over the last time: counts for the account''s rate.';
COMMENT ON COLUMN mails.provider_id IS 'The id that the mail server named when it took it.';
COMMENT ON COLUMN mails.rearmed_at IS 'Low balance only: when the balance was seen to have risen again, so that another one may follow.';

CREATE TABLE mail_events (
    mail_event_id bigint GENERATED ALWAYS AS IDENTITY,
    mail_id bigint,
    what text NOT NULL,
    address text,
    code text,
    detail text,
    actor text,
    provider text,
    provider_event text,
    message_id text,
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT mail_events_pkey PRIMARY KEY (mail_event_id),
    CONSTRAINT mail_events_mail_exists FOREIGN KEY (mail_id) REFERENCES mails (mail_id),
    CONSTRAINT mail_events_once UNIQUE (provider, provider_event),
    CONSTRAINT mail_events_what_known CHECK (what IN
        ('queued', 'held_back', 'put_off', 'sent', 'failed', 'delivered', 'delayed', 'bounced', 'complained', 'suppressed', 'unknown',
         'resent')),
    CONSTRAINT mail_events_provider_is_whole CHECK ((provider IS NULL) = (provider_event IS NULL)),
    CONSTRAINT mail_events_about_something CHECK (mail_id IS NOT NULL OR message_id IS NOT NULL),
    CONSTRAINT mail_events_provider_event_length CHECK (octet_length(provider_event) BETWEEN 1 AND 255),
    CONSTRAINT mail_events_detail_length CHECK (char_length(detail) <= 2000)
);
CREATE INDEX mail_events_by_mail ON mail_events (mail_id, mail_event_id);
COMMENT ON TABLE mail_events IS 'What became of each mail, one row a fact: by us, by the mail server, by the provider''s deliveries.';
COMMENT ON COLUMN mail_events.mail_id IS 'Null where a provider tells of a message that is none of ours.';
COMMENT ON COLUMN mail_events.code IS 'A stable word, as settings_off or rejected.';
COMMENT ON COLUMN mail_events.provider_event IS 'Unique for its provider: what is delivered twice is kept once.';
COMMENT ON COLUMN mail_events.at IS 'When it happened, by whoever says it.';

CREATE FUNCTION refuse_change_of_mail_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'mail_events is append-only: % refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'mail_events_append_only';
END
$$;
CREATE TRIGGER mail_events_append_only BEFORE UPDATE OR DELETE ON mail_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_mail_events();
CREATE TRIGGER mail_events_not_emptied BEFORE TRUNCATE ON mail_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_mail_events();

INSERT INTO mail_events (mail_id, what, at, recorded_at) SELECT mail_id, 'queued', queued_at, queued_at FROM mails ORDER BY mail_id;
INSERT INTO mail_events (mail_id, what, code, detail, at, recorded_at)
SELECT mail_id, 'held_back', 'before_sending', 'it was queued before there was anything that sends', clock_timestamp(), clock_timestamp()
FROM mails ORDER BY mail_id;

-- Whoever queues a mail has said so, whichever statement it was.
CREATE FUNCTION note_queued_mails() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO mail_events (mail_id, what, at, recorded_at) SELECT mail_id, 'queued', queued_at, queued_at FROM appended ORDER BY mail_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER mails_note_queued AFTER INSERT ON mails REFERENCING NEW TABLE AS appended
    FOR EACH STATEMENT EXECUTE FUNCTION note_queued_mails();

-- How much of the credits that can be drawn at an instant is left, whether that is low (a fifth or less), and what a mail says of it.
CREATE FUNCTION credits_left(whose uuid[], instant timestamptz)
RETURNS TABLE (account_id uuid, remaining numeric, original numeric, is_low boolean, detail jsonb) LANGUAGE sql STABLE AS $$
    SELECT live.account_id, live.remaining, live.original, live.remaining * 100 <= live.original * low.percent,
           jsonb_build_object('remaining', live.remaining, 'original', live.original, 'percent', low.percent,
                              'as_of', floor(extract(epoch FROM instant) * 1000)::bigint, 'ahead', coalesce(live.ahead, '[]'))
    FROM (VALUES (20)) AS low (percent)
    CROSS JOIN (
        SELECT lot.account_id, sum(lot.remaining) AS remaining, sum(lot.original) AS original,
               (jsonb_agg(jsonb_build_object('expires_at', floor(extract(epoch FROM lot.expires_at) * 1000)::bigint,
                                             'remaining', lot.remaining)
                          ORDER BY lot.expires_at, lot.granted_at, lot.lot_id) FILTER (WHERE lot.remaining > 0)) AS ahead
        FROM lots AS lot
        WHERE lot.account_id = ANY (whose) AND lot.swept_at IS NULL AND lot.granted_at <= instant AND lot.expires_at > instant
        GROUP BY lot.account_id
    ) AS live
$$;
COMMENT ON FUNCTION credits_left IS 'Lots that have begun and not expired, drawn or not; an account without one is left out. Sums are exact however large.';

-- Whom the latest checkout of an account names, else whom Stripe knows.
CREATE FUNCTION payer_email(whose uuid) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT checkout.email
         FROM stripe_checkouts AS checkout
         WHERE checkout.account_id = whose AND checkout.email IS NOT NULL
         ORDER BY checkout.ended_at DESC NULLS LAST, checkout.session
         LIMIT 1),
        (SELECT customer.email
         FROM stripe_customers AS customer
         WHERE customer.account_id = whose AND customer.email IS NOT NULL AND customer.deleted_at IS NULL
         ORDER BY customer.linked_at, customer.customer
         LIMIT 1))
$$;
COMMENT ON FUNCTION payer_email IS 'The address of who pays for an account; null where nobody has told it.';
