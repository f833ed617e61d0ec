-- Reads an account whole, for verification. Writes nothing.
-- KEYS: 1 meta, 2 account, 3 lots, 4 future, 5 emptied, 6 versions of sessions.
-- Returns: {now_ms, 'snapshot', seq, version, row, status, limit, used, period_end, frozen 0|1, undos, head + tail, next_change, how many versions of sessions,
--   then whose and which of each, then how many counts of keys with caps and then key, day, drawn on it, period_end, drawn in it of each, then id, left, granted,
--   expires of each lot}, {now_ms, 'unreadable', field} or {now_ms, 'absent'}.
-- Errors: UNCERTIFIED.
local shard = enter(KEYS[1], 'open')
if not shard then return uncertified() end
assert(#KEYS == 6, 'snapshot takes 6 keys')
local a = detail(load_account(KEYS[2]))
if not a then return { text(shard.now), 'absent' } end
if a.odd then return { text(shard.now), 'unreadable', a.odd } end
local answer = { text(shard.now), 'snapshot', text(a.seq), text(a.version), text(a.row), a.status, text(a.limit), text(a.used), text(a.period_end),
  a.frozen and '1' or '0', text(a.undos), text(a.head.left + a.tail), text(a.next_change) }
local sessions = redis.call('HGETALL', KEYS[6])
answer[#answer + 1] = text(#sessions / 2)
for _, part in ipairs(sessions) do answer[#answer + 1] = part end
local counts, fields = {}, redis.call('HGETALL', KEYS[2])
for i = 1, #fields, 2 do
  local of = string.match(fields[i], '^w(%x+)$')
  if of then counts[#counts + 1] = load_count(a, of) end
end
answer[#answer + 1] = text(#counts)
for _, count in ipairs(counts) do
  answer[#answer + 1] = count.of
  for _, number in ipairs({ count.day, count.day_used, count.period_end, count.period_used }) do answer[#answer + 1] = text(number) end
end
for _, lot in ipairs(all_lots({ lots = KEYS[3], future = KEYS[4], emptied = KEYS[5] }, a)) do
  assert(lot.id and lot.left and lot.granted and lot.expires, 'a lot is not as it is written')
  for _, number in ipairs({ lot.id, lot.left, lot.granted, lot.expires }) do answer[#answer + 1] = text(number) end
end
return answer
