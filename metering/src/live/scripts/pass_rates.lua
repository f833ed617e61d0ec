-- Counts a request that draws nothing against the rates of its key.
-- KEYS: 1 meta of the account's shard, 2 state of the rates.
-- ARGV: 1 spec (rates.lua).
-- Rule: the same state as debits count against; what is refused is not counted.
-- Returns: {now_ms, 'passed', 'left:reset_ms,…'} or {now_ms, 'rate', place, wait_ms}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'open')
if not shard then return uncertified() end
assert(#KEYS == 2 and #ARGV == 1, 'pass_rates takes 2 keys and 1 argument')
local held = load_rates(KEYS[2], ARGV[1], shard.now)
local place, wait_ms = check_rates(held)
if place then return { text(shard.now), 'rate', text(place), text(wait_ms) } end
local told = count_rates(held)
save_rates(held)
return { text(shard.now), 'passed', told }
