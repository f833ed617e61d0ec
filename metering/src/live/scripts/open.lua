-- Lets gateways in. Deletes before it writes, so that lack of memory does not keep an owner from its work: draining makes room.
-- KEYS: 1 meta.
-- Returns: {now_ms, 'open'}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'owner')
if not shard then return uncertified() end
redis.call('HDEL', KEYS[1], 'open')
redis.call('HSET', KEYS[1], 'open', CERTIFICATION)
return { text(shard.now), 'open' }
