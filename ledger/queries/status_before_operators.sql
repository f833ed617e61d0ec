-- The last status of an account that was not an operator's word.
SELECT after ->> 'status'
FROM audit
WHERE account_id = $1
  AND action IN ('account_created', 'status_set')
  AND after ->> 'status' NOT IN ('suspended', 'approved')
ORDER BY at DESC, audit_id DESC
LIMIT 1
