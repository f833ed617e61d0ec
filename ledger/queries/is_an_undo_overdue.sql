SELECT EXISTS (
    SELECT FROM undos WHERE shard = $1 AND state = 'open' AND not_after < $2
)
