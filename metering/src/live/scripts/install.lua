-- Writes one account from the book, in place of whatever live state has of it.
-- KEYS: 1 meta, 2 events, 3 account, 4 lots, 5 future, 6 emptied, 7 versions of sessions, then the closed mark of each undo the book has not settled.
-- ARGV: 1 account, 2 seq, 3 version, 4 row, 5 status, 6 anchor, 7 limit, 8 used, 9 period_end, 10 how many revoked keys and then them,
--   then how many keys with caps and then key, key it counts against, caps of a day and of a budget period (0 = none) of each, then how many
--   counts and then key, day, drawn on it, period_end, drawn in it of each, then how many lots and then id, left, granted, expires of each,
--   then how many versions of sessions and then whose and which, then the channel on which gateways hear of them.
-- Rule: only if the account is absent, or its seq is the one at which the book was read, or it can't be read and is frozen: then no event
--   followed on those that its owner has drained. Does not raise seq. Lifts a freeze.
-- Returns: {now_ms, 'installed'} or {now_ms, 'moved', seq}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'owner')
if not shard then return uncertified() end
local now, at, next_argument = text(shard.now), { lots = KEYS[4], future = KEYS[5], emptied = KEYS[6] }, 10
local function take() next_argument = next_argument + 1 return assert(ARGV[next_argument - 1], 'an argument is missing') end

local live = detail(load_account(KEYS[3]))
if live and live.seq ~= whole(ARGV[2]) and (live.seq or live.frozen == live.odd) then return { now, 'moved', text(live.seq or 0) } end
local a = { key = KEYS[3], seq = whole(ARGV[2]), version = whole(ARGV[3]), row = whole(ARGV[4]), status = ARGV[5], anchor = whole(ARGV[6]),
  limit = whole(ARGV[7]), used = whole(ARGV[8]), period_end = whole(ARGV[9]), undos = #KEYS - 7 }
local held, fields, lots = {}, {}, {}
for _ = 1, whole(take()) do held[take()] = '1' end
for _ = 1, whole(take()) do
  local key, caps = take(), string.format('%s %d %d', take(), whole(take()), whole(take()))
  held[key] = held[key] and 'r' .. caps or caps
end
for key, value in pairs(held) do
  fields[#fields + 1] = 'x' .. key
  fields[#fields + 1] = value
end
for _ = 1, whole(take()) do
  fields[#fields + 1] = 'w' .. take()
  fields[#fields + 1] = string.format('%d %d %d %d', whole(take()), whole(take()), whole(take()), whole(take()))
end
for i = 1, whole(take()) do lots[i] = { id = whole(take()), left = whole(take()), granted = whole(take()), expires = whole(take()) } end
local sessions = {}
for i = 1, whole(take()) do sessions[2 * i - 1], sessions[2 * i] = take(), text(whole(take())) end
local channel = take()
assert(next_argument == #ARGV + 1, 'there are arguments left over')
assert_countable(lots)

append(shard, KEYS[2], 'k', 'installed', 'a', ARGV[1], 'q', ARGV[2], 't', now, 'cv', ARGV[3])
redis.call('DEL', KEYS[3], KEYS[7])
keep_lots(at, a, lots, shard.now)
save_account(a)
for i = 1, #fields, 1000 do redis.call('HSET', KEYS[3], unpack(fields, i, math.min(i + 999, #fields))) end
for i = 1, #sessions, 1000 do redis.call('HSET', KEYS[7], unpack(sessions, i, math.min(i + 999, #sessions))) end
redis.call('PUBLISH', channel, ARGV[1])
for i = 8, #KEYS do redis.call('SET', KEYS[i], 'installed') end
leave(shard)
return { now, 'installed' }
