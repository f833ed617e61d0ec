-- Payments by any of their names ($1), of an account ($2), or since an instant ($3) after a cursor ($4, $5), with what their lots
-- were asked to give up and had. A reduction that is not drained yet has taken nobody knows what.
WITH chosen AS (
    SELECT *
    FROM stripe_payments
    WHERE payment = ANY ($1) OR payment_intent = ANY ($1) OR charge = ANY ($1)
       OR account_id = $2
       OR (paid_at >= $3 AND ($4::timestamptz IS NULL OR (paid_at, payment) > ($4, $5)))
    ORDER BY CASE WHEN $2 IS NULL THEN paid_at END, CASE WHEN $2 IS NULL THEN payment END, paid_at DESC, payment DESC
    LIMIT $6
),
clawed AS (
    SELECT clawback.payment,
           bool_and(outbox_row IS NULL OR settled_at IS NOT NULL OR delivered_at IS NOT NULL) AS is_drained,
           coalesce(sum(entry.taken), 0)::bigint AS taken
    FROM chosen
    JOIN stripe_clawbacks AS clawback USING (payment)
    LEFT JOIN outbox ON row_id = outbox_row
    LEFT JOIN LATERAL (
        SELECT -sum(credits) AS taken
        FROM entries
        WHERE entries.account_id = clawback.account_id
          AND entries.occurred_at = coalesce(settled_at, delivered_at)
          AND entries.outbox_row = clawback.outbox_row
    ) AS entry ON true
    GROUP BY clawback.payment
),
returned AS (
    SELECT reversal.payment, sum(original)::bigint AS returned
    FROM chosen
    JOIN stripe_reversals AS reversal USING (payment)
    JOIN lots ON lots.lot_id = returned_lot
    GROUP BY reversal.payment
)
SELECT chosen.payment, payment_intent, charge, session, subscription, customer, chosen.account_id, plan, chosen.product, credits,
       prorated, amount, currency, period_end, paid_at, chosen.expires_at, chosen.lot_id, asked, coalesce(original, 0) AS granted,
       coalesce(is_drained, true) AS is_drained, coalesce(taken, 0) AS taken, coalesce(returned, 0) AS returned
FROM chosen
LEFT JOIN lots ON lots.lot_id = chosen.lot_id
LEFT JOIN clawed ON clawed.payment = chosen.payment
LEFT JOIN returned ON returned.payment = chosen.payment
ORDER BY CASE WHEN $2 IS NULL THEN paid_at END, CASE WHEN $2 IS NULL THEN chosen.payment END, paid_at DESC, chosen.payment DESC
