-- Gives a debit back to the lots it was drawn from.
-- KEYS: 1 meta, 2 events, 3 account, 4 lots, 5 future, 6 emptied, 7 closed mark of the debit.
-- ARGV: 1 op, 2 account, 3 op of the debit, 4 event id of the debit, 5 not_after_ms of the debit.
-- Rule: once per debit, whatever is called how often. The split comes from the debit's own event, only if that event is of this
--   incarnation, still in the stream, and holds that op; otherwise this becomes an undo, and the book decides.
-- Returns: {now_ms, 'returned', returned, lapsed, remaining} or {now_ms, 'closed' | 'undo' | 'absent' | 'frozen'}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'open')
if not shard then return uncertified() end
local now, at = text(shard.now), { lots = KEYS[4], future = KEYS[5], emptied = KEYS[6] }
assert(#KEYS == 7 and #ARGV == 5, 'give_back takes 7 keys and 5 arguments')

local function debit_event()
  if string.match(ARGV[4], '^(%d+)-%d+$') ~= INCARNATION then return nil end
  local found = redis.call('XRANGE', KEYS[2], ARGV[4], ARGV[4])[1]
  if not found then return nil end
  local event = {}
  for i = 1, #found[2], 2 do event[found[2][i]] = found[2][i + 1] end
  if event.k ~= 'debit' or event.op ~= ARGV[3] or event.a ~= ARGV[2] then return nil end
  local price, period = string.match(event.b, '^%d+ %d+ (%d+) (%d+) %d+ %d+$')
  return { split = event.s, price = whole(price), period = whole(period) }
end

if redis.call('EXISTS', KEYS[7]) == 1 then return { now, 'closed' } end
local a = detail(load_account(KEYS[3]))
if not a then return { now, 'absent' } end
if a.frozen then return { now, 'frozen' } end
local debit = debit_event()
if not debit then
  mark_undo(shard, a, ARGV[2], ARGV[1], ARGV[3], text(whole(ARGV[5])), KEYS[7])
  return { now, 'undo' }
end

local lots = all_lots(at, a)
local returned, lapsed, sum = put_back(lots, debit.split, shard.now)
local _, remaining = eligible(lots, shard.now)
lower_used(a, debit.price, debit.period)
assert_countable(lots)
a.seq = a.seq + 1
append(shard, KEYS[2], 'k', 'give_back', 'op', ARGV[1], 'a', ARGV[2], 'q', text(a.seq), 't', now, 'of', ARGV[3], 's', returned,
  'l', lapsed, 'e', text(debit.period), 'r', text(remaining), 'u', text(a.used))
redis.call('SET', KEYS[7], 'given_back')
keep_lots(at, a, lots, shard.now)
save_account(a)
leave(shard)
return { now, 'returned', text(sum), text(debit.price - sum), text(remaining) }
