-- The outbox rows that events say were applied.
SELECT row_id, account_id, control_version, payload, settled_at IS NOT NULL AS settled, delivered_at IS NOT NULL AS delivered
FROM outbox
WHERE row_id = ANY ($1) AND shard_kind = 'accounts'
