-- Every shard, or that of $1 and $2; whether a lease still runs is told by this server's clock, so that nobody compares two clocks.
SELECT kind, number, owner, owner_name, coalesce(lease_until > clock_timestamp(), false) AS leased, epoch, incarnation, certification,
       applied_sequence, applied_op, applied_kind, state, drained_at
FROM shards
WHERE $1::text IS NULL OR (kind = $1 AND number = $2)
ORDER BY kind, number
