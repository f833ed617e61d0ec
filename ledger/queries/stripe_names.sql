-- All ids that mean the same payment as one of these, through links, payments and reversals.
WITH RECURSIVE known (name) AS (
    SELECT unnest($1::text[])
    UNION
    SELECT other
    FROM known
    CROSS JOIN LATERAL (
        SELECT invoice FROM stripe_links WHERE payment_intent = name
        UNION ALL
        SELECT payment_intent FROM stripe_links WHERE invoice = name
        UNION ALL
        SELECT unnest(ARRAY[payment, payment_intent, charge]) FROM stripe_payments WHERE payment = name
        UNION ALL
        SELECT unnest(ARRAY[payment, payment_intent, charge]) FROM stripe_payments WHERE payment_intent = name
        UNION ALL
        SELECT unnest(ARRAY[payment, payment_intent, charge]) FROM stripe_payments WHERE charge = name
        UNION ALL
        SELECT unnest(ARRAY[invoice, payment_intent, charge, payment]) FROM stripe_reversals WHERE id = name
    ) AS found (other)
    WHERE other IS NOT NULL
)
SELECT name FROM known LIMIT 1001
