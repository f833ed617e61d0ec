-- Undoes a debit whose outcome its asker does not know.
-- KEYS: 1 meta, 2 events, 3 account, 4 closed mark of the debit, 5 (where it asked under an Idempotency-Key) that key's mark.
-- ARGV: 1 op, 2 account, 3 op of the debit, 4 not_after_ms of the debit.
-- Rule: from here on the op can't draw; the owner drains the undo event and the book decides about what it may have drawn.
-- Returns: {now_ms, 'marked' | 'closed' | 'absent' | 'frozen'}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'open')
if not shard then return uncertified() end
local now = text(shard.now)
assert((#KEYS == 4 or #KEYS == 5) and #ARGV == 4, 'undo takes 4 or 5 keys and 4 arguments')
if redis.call('EXISTS', KEYS[4]) == 1 then return { now, 'closed' } end
local a = detail(load_account(KEYS[3]))
if not a then return { now, 'absent' } end
if a.frozen then return { now, 'frozen' } end
mark_undo(shard, a, ARGV[2], ARGV[1], ARGV[3], text(whole(ARGV[4])), nil, KEYS[4], KEYS[5])
return { now, 'marked' }
