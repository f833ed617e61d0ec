-- What was reported of subscriptions, and how each stands after all reports.
CREATE TABLE stripe_subscription_reports (
    subscription text NOT NULL,
    as_of timestamptz NOT NULL,
    source text NOT NULL,
    status text NOT NULL,
    was text NOT NULL DEFAULT '',
    invoice text,
    plan text,
    period_end timestamptz,
    cancel_at_period_end boolean NOT NULL DEFAULT false,
    trial_end timestamptz,
    CONSTRAINT stripe_subscription_reports_pkey PRIMARY KEY (subscription, as_of, source, status, was),
    CONSTRAINT stripe_subscription_reports_source_known CHECK (source IN ('subscription', 'invoice_paid', 'invoice_failed')),
    CONSTRAINT stripe_subscription_reports_length CHECK (octet_length(subscription) BETWEEN 1 AND 255)
);
COMMENT ON TABLE stripe_subscription_reports IS 'Every report of a subscription''s status. All are kept, so that what stands does not depend on the order in which they came.';
COMMENT ON COLUMN stripe_subscription_reports.source IS 'The subscription itself, or an invoice of it: paid says active, failed says past_due.';
COMMENT ON COLUMN stripe_subscription_reports.was IS 'The status just before, where the report tells; it orders reports of one second.';
COMMENT ON COLUMN stripe_subscription_reports.invoice IS 'The invoice it is about: a report of past_due is void once that is paid.';

CREATE TABLE stripe_subscriptions (
    subscription text NOT NULL,
    account_id uuid NOT NULL,
    customer text,
    status text NOT NULL,
    was_live boolean NOT NULL,
    plan text,
    period_end timestamptz,
    cancel_at_period_end boolean NOT NULL,
    trial_end timestamptz,
    as_of timestamptz NOT NULL,
    CONSTRAINT stripe_subscriptions_pkey PRIMARY KEY (subscription),
    CONSTRAINT stripe_subscriptions_account_exists FOREIGN KEY (account_id) REFERENCES accounts (account_id),
    CONSTRAINT stripe_subscriptions_length CHECK (octet_length(subscription) BETWEEN 1 AND 255),
    CONSTRAINT stripe_subscriptions_status_known CHECK (
        status IN ('incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'unpaid', 'paused', 'canceled'))
) WITH (fillfactor = 80);
CREATE INDEX stripe_subscriptions_by_account ON stripe_subscriptions (account_id);
COMMENT ON TABLE stripe_subscriptions IS 'How each subscription stands: worked out anew from its reports whenever one comes.';
COMMENT ON COLUMN stripe_subscriptions.was_live IS 'Whether it ever ran: the end of one that never began changes nothing.';
