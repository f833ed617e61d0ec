-- Writes something, so that WAITAOF behind it waits until everything before it is on the disk.
-- KEYS: 1 meta.
-- Rule: only under the certification under which the debit was drawn: a process that came after it may have lost the debit.
-- Returns: {now_ms, 'written'}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'open')
if not shard then return uncertified() end
leave(shard)
return { text(shard.now), 'written' }
