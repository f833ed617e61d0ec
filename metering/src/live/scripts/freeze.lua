-- Stops an account until it is installed anew, so that no event comes between reading the book and writing.
-- KEYS: 1 meta, 2 account. ARGV: 1 epoch of the owner.
-- Returns: {now_ms, 'frozen', seq}, {now_ms, 'unreadable'} (frozen, too) or {now_ms, 'absent'}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'owner')
if not shard then return uncertified() end
assert(#KEYS == 2 and #ARGV == 1, 'freeze takes 2 keys and 1 argument')
local a = detail(load_account(KEYS[2]))
if not a then return { text(shard.now), 'absent' } end
redis.call('HSET', KEYS[2], 'z', text(whole(ARGV[1])))
if a.odd then return { text(shard.now), 'unreadable' } end
return { text(shard.now), 'frozen', text(a.seq) }
