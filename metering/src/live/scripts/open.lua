-- Lets gateways in.
-- KEYS: 1 meta.
-- Returns: {now_ms, 'open'}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'owner')
if not shard then return uncertified() end
redis.call('HSET', KEYS[1], 'open', CERTIFICATION)
return { text(shard.now), 'open' }
