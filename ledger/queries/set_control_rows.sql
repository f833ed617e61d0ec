-- Each account names the outbox row of its latest version.
UPDATE accounts AS account
SET control_row = outbox.row_id
FROM outbox
WHERE account.account_id = ANY ($1)
  AND outbox.account_id = account.account_id
  AND outbox.control_version = account.control_version
