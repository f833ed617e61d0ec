-- Money that came and money that went back, by payment: each payment grants once and gives up once.
CREATE TABLE stripe_payments (
    payment text NOT NULL,
    payment_intent text,
    charge text,
    session text,
    subscription text,
    customer text,
    account_id uuid NOT NULL,
    plan text NOT NULL,
    product text NOT NULL,
    credits bigint NOT NULL,
    prorated boolean NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    period_end timestamptz,
    paid_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    lot_id bigint,
    asked bigint NOT NULL DEFAULT 0,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT stripe_payments_pkey PRIMARY KEY (payment),
    CONSTRAINT stripe_payments_account_exists FOREIGN KEY (account_id) REFERENCES accounts (account_id),
    CONSTRAINT stripe_payments_lot_exists FOREIGN KEY (lot_id) REFERENCES lots (lot_id),
    CONSTRAINT stripe_payments_length CHECK (octet_length(payment) BETWEEN 1 AND 255),
    CONSTRAINT stripe_payments_credits_in_range CHECK (credits BETWEEN 0 AND 9007199254740991),
    CONSTRAINT stripe_payments_amount_in_range CHECK (amount >= 0),
    CONSTRAINT stripe_payments_asked_in_range CHECK (asked BETWEEN 0 AND 9007199254740991),
    CONSTRAINT stripe_payments_prorated_has_period
        CHECK (NOT prorated OR (subscription IS NOT NULL AND period_end IS NOT NULL))
);
CREATE INDEX stripe_payments_by_payment_intent ON stripe_payments (payment_intent) WHERE payment_intent IS NOT NULL;
CREATE INDEX stripe_payments_by_charge ON stripe_payments (charge) WHERE charge IS NOT NULL;
CREATE INDEX stripe_payments_by_subscription ON stripe_payments (subscription, period_end) WHERE subscription IS NOT NULL;
CREATE INDEX stripe_payments_by_account ON stripe_payments (account_id, paid_at DESC, payment DESC);
CREATE INDEX stripe_payments_by_time ON stripe_payments (paid_at, payment);
COMMENT ON TABLE stripe_payments IS 'Payments, by the id that their grant is keyed by: the invoice where there is one, else the payment intent.';
COMMENT ON COLUMN stripe_payments.credits IS 'The allowance it pays for; what it granted is the lot''s.';
COMMENT ON COLUMN stripe_payments.amount IS 'In minor units of the currency.';
COMMENT ON COLUMN stripe_payments.asked IS 'Credits asked back for reversals that stand: the largest of their targets, never the sum.';

CREATE TABLE stripe_links (
    payment_intent text NOT NULL,
    invoice text NOT NULL,
    CONSTRAINT stripe_links_pkey PRIMARY KEY (payment_intent, invoice)
);
CREATE INDEX stripe_links_by_invoice ON stripe_links (invoice);
COMMENT ON TABLE stripe_links IS 'Which payment intent pays which invoice: newer API versions name the invoice on no charge.';

CREATE TABLE stripe_reversals (
    kind text NOT NULL,
    id text NOT NULL,
    invoice text,
    payment_intent text,
    charge text,
    payment text,
    refunded bigint,
    amount bigint,
    at timestamptz,
    won_at timestamptz,
    returned_lot bigint,
    CONSTRAINT stripe_reversals_pkey PRIMARY KEY (kind, id),
    CONSTRAINT stripe_reversals_payment_exists FOREIGN KEY (payment) REFERENCES stripe_payments (payment),
    CONSTRAINT stripe_reversals_lot_exists FOREIGN KEY (returned_lot) REFERENCES lots (lot_id),
    CONSTRAINT stripe_reversals_kind_known CHECK (kind IN ('refund', 'dispute', 'not_paid')),
    CONSTRAINT stripe_reversals_length CHECK (octet_length(id) BETWEEN 1 AND 255),
    CONSTRAINT stripe_reversals_refund_is_whole
        CHECK (CASE WHEN kind = 'refund' THEN refunded >= 0 AND amount > 0 ELSE refunded IS NULL AND amount IS NULL END)
);
CREATE INDEX stripe_reversals_by_payment ON stripe_reversals (payment) WHERE payment IS NOT NULL;
CREATE INDEX stripe_reversals_unsettled ON stripe_reversals (at) WHERE payment IS NULL;
CREATE INDEX stripe_reversals_by_id ON stripe_reversals (id);
COMMENT ON TABLE stripe_reversals IS 'Refunds (by charge), disputes and payments that were none. Kept also while the payment is not known.';
COMMENT ON COLUMN stripe_reversals.payment IS 'Null while the book has no payment of these names.';
COMMENT ON COLUMN stripe_reversals.refunded IS 'In minor units, of amount: the total so far.';
COMMENT ON COLUMN stripe_reversals.at IS 'Null where only the end of a dispute is known.';
COMMENT ON COLUMN stripe_reversals.returned_lot IS 'The lot that gave back what a dispute had taken.';

CREATE TABLE stripe_clawbacks (
    clawback_id bigint GENERATED ALWAYS AS IDENTITY,
    payment text NOT NULL,
    account_id uuid NOT NULL,
    lot_id bigint NOT NULL,
    asked bigint NOT NULL,
    outbox_row bigint,
    at timestamptz NOT NULL,
    CONSTRAINT stripe_clawbacks_pkey PRIMARY KEY (clawback_id),
    CONSTRAINT stripe_clawbacks_payment_exists FOREIGN KEY (payment) REFERENCES stripe_payments (payment),
    CONSTRAINT stripe_clawbacks_lot_exists FOREIGN KEY (lot_id) REFERENCES lots (lot_id),
    CONSTRAINT stripe_clawbacks_asked_in_range CHECK (asked BETWEEN 1 AND 9007199254740991)
);
CREATE INDEX stripe_clawbacks_by_payment ON stripe_clawbacks (payment, clawback_id);
COMMENT ON TABLE stripe_clawbacks IS 'What lots were asked to give up because their payment was reversed. What they had is the entry of the outbox row.';
COMMENT ON COLUMN stripe_clawbacks.outbox_row IS 'Null where the lot was swept already: there was nothing to take.';
