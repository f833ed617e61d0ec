-- What became of a checkout; what is known already stays.
UPDATE stripe_checkouts
SET state = $2,
    email = coalesce(email, $3),
    subscription = coalesce(subscription, $4),
    payment_intent = coalesce(payment_intent, $5),
    ended_at = CASE WHEN state = $2 THEN coalesce(ended_at, $6) ELSE $6 END
WHERE session = $1
