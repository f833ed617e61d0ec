-- Reports of a subscription that may stand: those that end it, then the newest whose invoice is not paid by now.
SELECT as_of, status, was, invoice_is_paid
FROM (
    SELECT as_of, status, was,
           EXISTS (SELECT FROM stripe_payments WHERE payment = invoice) AS invoice_is_paid
    FROM stripe_subscription_reports
    WHERE subscription = $1
) AS report
ORDER BY status IN ('canceled', 'incomplete_expired') DESC, invoice_is_paid AND status IN ('past_due', 'unpaid'), as_of DESC
LIMIT 64
