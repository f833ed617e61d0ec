-- Settles a hold: what it holds above the price goes back to the lots it was drawn from, those that expire last first.
-- KEYS: 1 meta, 2 events, 3 account, 4 lots, 5 future, 6 emptied, 7 closed mark of the hold.
-- ARGV: 1 op, 2 account, 3 op of the hold, 4 event id of the hold, 5 not_after_ms of the hold, 6 price (above the hold: all of it).
-- Rule: once per hold, and no release or give-back beside it. Where its event is not at hand (closing.lua) this becomes an undo of what
--   is above the price, and the book decides.
-- Returns: {now_ms, 'settled', kept, returned, lapsed, remaining} or {now_ms, 'closed' | 'undo' | 'absent' | 'frozen'}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'open')
if not shard then return uncertified() end
assert(#KEYS == 7 and #ARGV == 6, 'settle takes 7 keys and 6 arguments')
local hold, kept, returned, lapsed, remaining = close_debit(shard, 'settle', whole(ARGV[6]))
if not hold then return { text(shard.now), kept } end
return { text(shard.now), 'settled', kept, returned, lapsed, remaining }
