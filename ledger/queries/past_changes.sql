-- Changes that live state had heard of: up to an instant, or before an event.
SELECT payload
FROM outbox
WHERE account_id = $1 AND control_version IS NOT NULL AND delivered_at <= $2
  AND ($3::bigint IS NULL OR (delivered_incarnation, delivered_sequence) < ($3, $4::bigint))
ORDER BY control_version
