-- Writes an API key as the book has it, and tells the gateways.
-- KEYS: 1 meta of the key shard, 2 the key.
-- ARGV: 1 digest, 2 account, 3 key id, 4 state, 5 status of the account, 6 expires_ms (0 = never), 7 channel, 8 policy (JSON), 9 key whose rates it shares.
-- Rule: always the book's current entry, so that sending a row again, or late, never brings an older one back. Each write raises the
--   shard's sequence: a process that lost writes shows a lower one than the book has noted.
-- Returns: {now_ms, 'put', sequence}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'owner')
if not shard then return uncertified() end
assert(#KEYS == 2 and #ARGV == 9, 'put_key takes 2 keys and 9 arguments')
local expires = text(whole(ARGV[6]))
shard.sequence = shard.sequence + 1
leave(shard)
redis.call('HSET', KEYS[2], 'a', ARGV[2], 'i', ARGV[3], 's', ARGV[4], 'st', ARGV[5], 'x', expires, 'p', ARGV[8], 'l', ARGV[9])
redis.call('PUBLISH', ARGV[7], ARGV[1])
return { text(shard.now), 'put', text(shard.sequence) }
