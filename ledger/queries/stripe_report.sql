-- A report of a subscription. The same one again only adds what it had not said.
INSERT INTO stripe_subscription_reports AS known (
    subscription, as_of, source, status, was, invoice, plan, period_end, cancel_at_period_end, trial_end)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT ON CONSTRAINT stripe_subscription_reports_pkey DO UPDATE
SET invoice = greatest(known.invoice, excluded.invoice),
    plan = greatest(known.plan, excluded.plan),
    period_end = greatest(known.period_end, excluded.period_end),
    cancel_at_period_end = known.cancel_at_period_end OR excluded.cancel_at_period_end,
    trial_end = greatest(known.trial_end, excluded.trial_end)
