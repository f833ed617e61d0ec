-- The subscription as it stands: the status that was worked out, and for the rest the newest report that says it.
WITH said AS (
    SELECT * FROM stripe_subscription_reports WHERE subscription = $1
)
INSERT INTO stripe_subscriptions AS known (
    subscription, account_id, customer, status, as_of, was_live, plan, period_end, cancel_at_period_end, trial_end)
VALUES (
    $1, $2, $3, $4, $5,
    EXISTS (SELECT FROM said WHERE status = ANY ($6) OR was = ANY ($6)),
    (SELECT plan FROM said WHERE plan IS NOT NULL ORDER BY as_of DESC, plan LIMIT 1),
    (SELECT period_end FROM said WHERE period_end IS NOT NULL ORDER BY as_of DESC, period_end DESC LIMIT 1),
    coalesce((SELECT cancel_at_period_end FROM said WHERE source = 'subscription' ORDER BY as_of DESC, cancel_at_period_end LIMIT 1), false),
    (SELECT trial_end FROM said WHERE source = 'subscription' ORDER BY as_of DESC, trial_end DESC LIMIT 1))
ON CONFLICT ON CONSTRAINT stripe_subscriptions_pkey DO UPDATE
SET customer = coalesce(known.customer, excluded.customer),
    status = excluded.status,
    as_of = excluded.as_of,
    was_live = excluded.was_live,
    plan = excluded.plan,
    period_end = excluded.period_end,
    cancel_at_period_end = excluded.cancel_at_period_end,
    trial_end = excluded.trial_end
