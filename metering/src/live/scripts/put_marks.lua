-- Writes idempotency marks of one account as the book has them, before the account is installed.
-- KEYS: 1 meta, 2 account, then the marks.
-- ARGV: the text of each (marks.lua).
-- Rule: only while the account is absent: afterwards a mark that was freed since must not come back.
-- Returns: {now_ms, 'put' | 'present'}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'owner')
if not shard then return uncertified() end
assert(#KEYS == #ARGV + 2, 'put_marks takes a text a mark')
if redis.call('EXISTS', KEYS[2]) == 1 then return { text(shard.now), 'present' } end
for i = 1, #ARGV do redis.call('SET', KEYS[i + 2], ARGV[i]) end
return { text(shard.now), 'put' }
