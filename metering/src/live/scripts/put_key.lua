-- Writes an API key as the book has it, and tells the gateways.
-- KEYS: 1 meta of the key shard, 2 the key.
-- ARGV: 1 outbox row (0 = install), 2 digest, 3 account, 4 key id, 5 state, 6 status of the account, 7 expires_ms (0 = never), 8 channel.
-- Rule: always the book's current entry, so that sending a row again, or late, never brings an older one back. The highest row is
--   kept in meta (its sequence): a process that lost rows shows a lower one.
-- Returns: {now_ms, 'put'}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'owner')
if not shard then return uncertified() end
assert(#KEYS == 2 and #ARGV == 8, 'put_key takes 2 keys and 8 arguments')
redis.call('HSET', KEYS[2], 'a', ARGV[3], 'i', ARGV[4], 's', ARGV[5], 'st', ARGV[6], 'x', text(whole(ARGV[7])))
shard.sequence = math.max(shard.sequence, whole(ARGV[1]))
leave(shard)
redis.call('PUBLISH', ARGV[8], ARGV[2])
return { text(shard.now), 'put' }
