-- Notes that the request under an Idempotency-Key is over: a repeat is told 'used' from here on.
-- KEYS: 1 meta, 2 the mark.
-- ARGV: 1 op of the request's debit.
-- Rule: changes no money and makes no event: an incarnation that begins without it says 'in use' somewhat longer.
-- Returns: {now_ms, 'noted' | 'absent'}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'open')
if not shard then return uncertified() end
assert(#KEYS == 2 and #ARGV == 1, 'answered takes 2 keys and 1 argument')
local op, fingerprint, at = string.match(redis.call('GET', KEYS[2]) or '', '^(%x+) (%x+) (%d+) %d+$')
if op ~= ARGV[1] then return { text(shard.now), 'absent' } end
redis.call('SET', KEYS[2], string.format('%s %s %s 0', op, fingerprint, at))
return { text(shard.now), 'noted' }
