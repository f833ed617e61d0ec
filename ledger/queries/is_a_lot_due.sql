SELECT EXISTS (
    SELECT FROM lots WHERE shard = $1 AND swept_at IS NULL AND sweep_row IS NULL AND expires_at <= $2
)
