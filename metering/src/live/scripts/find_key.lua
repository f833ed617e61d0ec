-- Looks an API key up.
-- KEYS: 1 meta of the key shard, 2 the key.
-- Rule: 'unknown' is said only by a certified shard, so that a key which was not installed yet is never taken for unknown.
-- Returns: {now_ms, 'found', account, key id, state, status, expires_ms (0 = never), policy (JSON), key whose rates it shares} or {now_ms, 'unknown'}.
-- Errors: UNCERTIFIED.
local shard = enter(KEYS[1], 'open')
if not shard then return uncertified() end
assert(#KEYS == 2, 'find_key takes 2 keys')
local f = redis.call('HMGET', KEYS[2], 'a', 'i', 's', 'st', 'x', 'p', 'l')
if not f[1] then return { text(shard.now), 'unknown' } end
return { text(shard.now), 'found', f[1], f[2], f[3], f[4], f[5], f[6] or '{}', f[7] or f[2] }
