-- Changes of credits that live state has not been told, or has not been seen to apply; in version order for each account.
SELECT row_id, account_id, payload
FROM outbox
WHERE account_id = ANY ($1)
  AND delivered_at IS NULL
  AND settled_at IS NULL
  AND kind IN ('lot_reduced', 'lot_expired', 'undo_settled')
ORDER BY account_id, control_version
