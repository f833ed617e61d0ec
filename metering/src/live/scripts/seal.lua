-- Closes a shard before it is certified: no script of an earlier certification runs after this. Not fenced: it is the fence.
-- KEYS: 1 head, 2 meta of the incarnation that head names (absent: the head).
-- ARGV: 1 epoch of the owner.
-- Returns: {'sealed', incarnation, certification} as head has them (0 0 where it has none), or {'newer', epoch} when another owner came later.
local head = redis.call('HMGET', KEYS[1], 'epoch', 'incarnation', 'certification')
local epoch = tonumber(head[1] or '0')
if epoch > tonumber(ARGV[1]) then return { 'newer', head[1] } end
redis.call('HDEL', KEYS[2], 'open', 'owner') -- first: a delete is never refused for lack of memory, and then the rest is not either
redis.call('HSET', KEYS[1], 'epoch', ARGV[1])
return { 'sealed', head[2] or '0', head[3] or '0' }
