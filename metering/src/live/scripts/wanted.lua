-- Answers whom debits have asked for in vain since it was last asked. Deletes before it writes, so that lack of memory does not stop an install.
-- KEYS: 1 meta.
-- ARGV: 1 'listen' (an install goes on) | 'done'.
-- Rule: debits write nothing of the kind unless an install goes on.
-- Returns: {now_ms, the accounts, each once, a space behind each}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'owner')
if not shard then return uncertified() end
local wanted = redis.call('HGET', KEYS[1], 'wanted') or ''
redis.call('HDEL', KEYS[1], 'wanted')
if ARGV[1] == 'listen' then redis.call('HSET', KEYS[1], 'wanted', '') end
return { text(shard.now), wanted }
