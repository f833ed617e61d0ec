-- Draws credits for one request: what the gateway's debit does, as a team would write it for nginx, in four calls.
-- KEYS: 1 account (a hash), 2 its lots behind the head (a sorted set by expiry: `id left`), 3 events (a stream).
-- ARGV: 1 key id, 2 credits (≥ 1), 3 op, 4 route, 5 account.
-- Rule: nothing is written unless all checks pass, in this order: present → status → key → budget of the period → lots, earliest expiry first.
-- Returns: {'drawn', event, remaining, used} or {refusal, number}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local f = redis.call('HMGET', KEYS[1], 'status', 'limit', 'used', 'period_end', 'lot', 'left', 'expires', 'tail', 'seq', 'revoked:' .. ARGV[1])
local function text(number) return string.format('%.0f', number) end

if not f[1] then return { 'absent', '0' } end
if f[1] ~= 'active' and f[1] ~= 'trial' and f[1] ~= 'approved' then return { 'status', '0' } end
if f[10] then return { 'key_revoked', '0' } end
local price, limit, used, period_end = tonumber(ARGV[2]), tonumber(f[2]), tonumber(f[3]), tonumber(f[4])
if now >= period_end then
  used = 0
  while now >= period_end do period_end = period_end + 30 * 86400000 end
end
if limit > 0 and used + price > limit then return { 'budget', text(used) } end
local lot, left, expires, tail = f[5], tonumber(f[6]), tonumber(f[7]), tonumber(f[8])

-- The head pays alone nearly always; when it can't, lots behind it take its place, one after the other.
local spent, owed, gone = {}, price, {}
if now >= expires then left = 0 end
if left < price then
  for _, behind in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')) do
    gone[#gone + 1] = behind
  end
end
local place = 1
while left < owed and place < #gone do
  if left > 0 then spent[#spent + 1] = lot .. ':' .. text(left) end
  owed = owed - left
  lot, left = string.match(gone[place], '^(%S+) (%d+)$')
  left, expires = tonumber(left), tonumber(gone[place + 1])
  tail = tail - left
  if now >= expires then left = 0 end
  place = place + 2
end
if left < owed then return { 'credits', text(left + tail) } end
spent[#spent + 1] = lot .. ':' .. text(owed)
left = left - owed
local remaining, seq = left + tail, tonumber(f[9]) + 1

local event = redis.call('XADD', KEYS[3], 'MAXLEN', '~', '100000', '*', 'v', '1', 'k', 'debit', 'op', ARGV[3], 'a', ARGV[5],
  'b', text(seq) .. ' ' .. text(now) .. ' ' .. ARGV[2] .. ' ' .. text(remaining) .. ' ' .. text(used + price),
  's', table.concat(spent, ' '), 'i', ARGV[1], 'p', ARGV[4])
if place == 1 and period_end == tonumber(f[4]) then
  redis.call('HSET', KEYS[1], 'used', text(used + price), 'left', text(left), 'seq', text(seq))
else
  for taken = 1, place - 1, 2 do redis.call('ZREM', KEYS[2], gone[taken]) end
  redis.call('HSET', KEYS[1], 'used', text(used + price), 'period_end', text(period_end), 'lot', lot, 'left', text(left),
    'expires', text(expires), 'tail', text(tail), 'seq', text(seq))
end
return { 'drawn', event, text(remaining), text(used + price) }
