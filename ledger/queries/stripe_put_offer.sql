-- A price as it is; an older report never replaces a newer one.
INSERT INTO stripe_offers AS known (price, product, amount, currency, period, active, product_active, name, as_of)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT ON CONSTRAINT stripe_offers_pkey DO UPDATE
SET product = excluded.product,
    amount = excluded.amount,
    currency = excluded.currency,
    period = excluded.period,
    active = excluded.active,
    product_active = excluded.product_active,
    name = excluded.name,
    as_of = excluded.as_of
WHERE known.as_of <= excluded.as_of
