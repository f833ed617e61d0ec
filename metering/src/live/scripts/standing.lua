-- Reads what a session needs to know of its account. Writes nothing.
-- KEYS: 1 meta, 2 account, 3 versions of its sessions.
-- Returns: {now_ms, 'standing', status, then whose and the least version that is still good of each} or {now_ms, 'absent'}.
-- Errors: UNCERTIFIED.
local shard = enter(KEYS[1], 'open')
if not shard then return uncertified() end
assert(#KEYS == 3, 'standing takes 3 keys')
local a = load_account(KEYS[2])
if not a or a.odd then return { text(shard.now), 'absent' } end
local answer = { text(shard.now), 'standing', a.status }
for _, part in ipairs(redis.call('HGETALL', KEYS[3])) do answer[#answer + 1] = part end
return answer
