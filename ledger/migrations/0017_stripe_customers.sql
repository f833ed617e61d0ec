-- Stripe's customers, and the checkouts that we have opened for them.
CREATE TABLE stripe_customers (
    customer text NOT NULL,
    account_id uuid NOT NULL,
    email text,
    email_as_of timestamptz,
    linked_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT stripe_customers_pkey PRIMARY KEY (customer),
    CONSTRAINT stripe_customers_account_exists FOREIGN KEY (account_id) REFERENCES accounts (account_id),
    CONSTRAINT stripe_customers_length CHECK (octet_length(customer) BETWEEN 1 AND 255),
    CONSTRAINT stripe_customers_email_length CHECK (char_length(email) BETWEEN 3 AND 320)
);
CREATE INDEX stripe_customers_by_account ON stripe_customers (account_id, linked_at);
COMMENT ON TABLE stripe_customers IS 'Whose a customer of Stripe is. It never changes hands; of several that live, the account uses the first.';
COMMENT ON COLUMN stripe_customers.email_as_of IS 'When Stripe said so; an older report never replaces a newer one.';

CREATE TABLE stripe_checkouts (
    session text NOT NULL,
    account_id uuid NOT NULL,
    customer text NOT NULL,
    plan text NOT NULL,
    price text NOT NULL,
    recurring boolean NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    url text NOT NULL,
    opened_at timestamptz NOT NULL,
    expires_at timestamptz,
    state text NOT NULL DEFAULT 'open',
    email text,
    subscription text,
    payment_intent text,
    ended_at timestamptz,
    CONSTRAINT stripe_checkouts_pkey PRIMARY KEY (session),
    CONSTRAINT stripe_checkouts_account_exists FOREIGN KEY (account_id) REFERENCES accounts (account_id),
    CONSTRAINT stripe_checkouts_session_length CHECK (octet_length(session) BETWEEN 1 AND 255),
    CONSTRAINT stripe_checkouts_url_length CHECK (octet_length(url) <= 4096),
    CONSTRAINT stripe_checkouts_amount_in_range CHECK (amount >= 0),
    CONSTRAINT stripe_checkouts_state_known CHECK (state IN ('open', 'expired', 'completed', 'failed', 'paid'))
);
CREATE INDEX stripe_checkouts_by_account ON stripe_checkouts (account_id, opened_at DESC);
CREATE INDEX stripe_checkouts_by_subscription ON stripe_checkouts (subscription) WHERE subscription IS NOT NULL;
COMMENT ON TABLE stripe_checkouts IS 'Checkouts that we have opened: a completed one that is not here, or differs, grants nothing.';
COMMENT ON COLUMN stripe_checkouts.amount IS 'In minor units of the currency.';
COMMENT ON COLUMN stripe_checkouts.email IS 'Where its payer wants mails; known once it is completed.';
