-- Reads what an account has. Writes nothing.
-- KEYS: 1 meta, 2 account, 3 lots, 4 future, 5 emptied.
-- Returns: {now_ms, 'credits', status, remaining, used, limit, period_end, next_expiry_ms, next_expiry_credits} (0 0 = no lot) or {now_ms, 'absent'}.
-- Errors: UNCERTIFIED.
local shard = enter(KEYS[1], 'open')
if not shard then return uncertified() end
assert(#KEYS == 5, 'credits takes 5 keys')
local a = detail(load_account(KEYS[2]))
if not a or a.odd then return { text(shard.now), 'absent' } end
turn_period(a, shard.now)
local drawable, total = eligible(all_lots({ lots = KEYS[3], future = KEYS[4], emptied = KEYS[5] }, a), shard.now)
local soonest = drawable[1] or NO_HEAD
return { text(shard.now), 'credits', a.status, text(total), text(a.used), text(a.limit), text(a.period_end), text(soonest.expires), text(soonest.left) }
