-- Incidents, latest first, before $4; of accounts where one is named: those that cost it something.
SELECT incident_id, shard_kind, shard, kind, detail, at
FROM incidents
WHERE ($1::bigint IS NULL OR incident_id = $1)
  AND ($2::uuid IS NULL OR EXISTS (
      SELECT FROM losses WHERE losses.incident_id = incidents.incident_id AND losses.account_id = $2))
  AND (NOT $3 OR EXISTS (SELECT FROM losses WHERE losses.incident_id = incidents.incident_id))
  AND ($4::bigint IS NULL OR incident_id < $4)
ORDER BY incident_id DESC
LIMIT $5
