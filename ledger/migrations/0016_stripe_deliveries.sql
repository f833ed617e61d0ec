-- What Stripe has delivered, as it came, and how far each delivery is.
CREATE TABLE stripe_deliveries (
    event text NOT NULL,
    kind text NOT NULL,
    api_version text,
    live boolean NOT NULL,
    created_at timestamptz NOT NULL,
    body bytea NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    parked_code text,
    parked_detail text,
    waits_for text[] NOT NULL DEFAULT '{}',
    is_done_then boolean NOT NULL DEFAULT false,
    attempts integer NOT NULL DEFAULT 0,
    postponed text,
    account_id uuid,
    received_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL,
    applied_at timestamptz,
    CONSTRAINT stripe_deliveries_pkey PRIMARY KEY (event),
    CONSTRAINT stripe_deliveries_event_length CHECK (octet_length(event) BETWEEN 1 AND 255),
    CONSTRAINT stripe_deliveries_kind_length CHECK (octet_length(kind) BETWEEN 1 AND 255),
    CONSTRAINT stripe_deliveries_body_length CHECK (octet_length(body) <= 1048576),
    CONSTRAINT stripe_deliveries_state_known CHECK (state IN ('waiting', 'applied', 'ignored', 'parked', 'resolved')),
    CONSTRAINT stripe_deliveries_parked_has_reason
        CHECK ((parked_code IS NULL) = (parked_detail IS NULL) AND (state <> 'parked' OR parked_code IS NOT NULL)),
    CONSTRAINT stripe_deliveries_waiting_is_open CHECK ((state = 'waiting') = (applied_at IS NULL))
);
CREATE INDEX stripe_deliveries_waiting ON stripe_deliveries (received_at, event) WHERE state = 'waiting';
CREATE INDEX stripe_deliveries_parked ON stripe_deliveries (received_at, event) WHERE state = 'parked';
CREATE INDEX stripe_deliveries_latest ON stripe_deliveries (received_at DESC, event DESC);
CREATE INDEX stripe_deliveries_by_account ON stripe_deliveries (account_id, received_at DESC, event DESC);
COMMENT ON TABLE stripe_deliveries IS 'Verified deliveries of Stripe: one row an event, written before Stripe is answered. Money follows from them once.';
COMMENT ON COLUMN stripe_deliveries.created_at IS 'By Stripe''s clock: when it happened.';
COMMENT ON COLUMN stripe_deliveries.parked_code IS 'Why it can''t be applied; kept when an operator has resolved it.';
COMMENT ON COLUMN stripe_deliveries.waits_for IS 'Names of which the book had nothing: once it has one of them, a parked delivery waits to be applied again.';
COMMENT ON COLUMN stripe_deliveries.is_done_then IS 'All that it says is kept as a reversal, which is settled then: it counts as applied at once.';
COMMENT ON COLUMN stripe_deliveries.postponed IS 'Why it was put off the last time.';
COMMENT ON COLUMN stripe_deliveries.account_id IS 'Whom it was about; null until that is known.';
COMMENT ON COLUMN stripe_deliveries.next_at IS 'Not to be claimed before: a lease of whoever works on it, or a pause after a failure.';
COMMENT ON COLUMN stripe_deliveries.applied_at IS 'When it was applied, ignored, parked or resolved.';
