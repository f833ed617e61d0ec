-- An install at a version includes every change up to it.
UPDATE outbox
SET delivered_at = installed.at, delivered_incarnation = $1, delivered_sequence = installed.sequence
FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::timestamptz[]) AS installed (account_id, version, sequence, at)
WHERE outbox.account_id = installed.account_id
  AND outbox.control_version <= installed.version
  AND outbox.delivered_at IS NULL
