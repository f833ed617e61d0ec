-- Prices as Stripe has them, and how far the book was compared with Stripe.
CREATE TABLE stripe_offers (
    price text NOT NULL,
    product text NOT NULL,
    amount bigint,
    currency text NOT NULL,
    period text,
    active boolean NOT NULL,
    product_active boolean NOT NULL,
    name text NOT NULL,
    as_of timestamptz NOT NULL,
    CONSTRAINT stripe_offers_pkey PRIMARY KEY (price),
    CONSTRAINT stripe_offers_length CHECK (octet_length(price) BETWEEN 1 AND 255),
    CONSTRAINT stripe_offers_amount_in_range CHECK (amount >= 0)
);
COMMENT ON TABLE stripe_offers IS 'Prices with their product, as of the last look or delivery. What we grant for them is in plans.toml.';
COMMENT ON COLUMN stripe_offers.amount IS 'In minor units; null where Stripe has no single amount.';
COMMENT ON COLUMN stripe_offers.period IS 'month, year, …; null for a one-off price.';

CREATE TABLE stripe_reconciled (
    singleton boolean NOT NULL DEFAULT true,
    mark timestamptz NOT NULL,
    CONSTRAINT stripe_reconciled_pkey PRIMARY KEY (singleton),
    CONSTRAINT stripe_reconciled_is_one_row CHECK (singleton)
);
COMMENT ON TABLE stripe_reconciled IS 'Up to when the book was compared with Stripe without a difference left: one row, or none.';
