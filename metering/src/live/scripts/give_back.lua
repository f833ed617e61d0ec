-- Gives a debit back to the lots it was drawn from.
-- KEYS: 1 meta, 2 events, 3 account, 4 lots, 5 future, 6 emptied, 7 closed mark of the debit, 8 (where it drew under an Idempotency-Key) its mark.
-- ARGV: 1 op, 2 account, 3 op of the debit, 4 event id of the debit, 5 not_after_ms of the debit.
-- Rule: once per debit. Where its event is not at hand (closing.lua) this becomes an undo, and the book decides.
-- Returns: {now_ms, 'returned', returned, lapsed, remaining} or {now_ms, 'closed' | 'undo' | 'absent' | 'frozen'}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'open')
if not shard then return uncertified() end
assert((#KEYS == 7 or #KEYS == 8) and #ARGV == 5, 'give_back takes 7 or 8 keys and 5 arguments')
local debit, why, returned, lapsed, remaining = close_debit(shard, 'give_back', nil)
if not debit then return { text(shard.now), why } end
return { text(shard.now), 'returned', returned, lapsed, remaining }
