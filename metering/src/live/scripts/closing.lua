-- Closes a debit, once, whatever is called how often: all of it goes back to its lots, or where it is a hold to settle, what lies beyond `settled`.
-- KEYS: 1 meta, 2 events, 3 account, 4 lots, 5 future, 6 emptied, 7 closed mark of the debit, 8 (optional) its idempotency mark.
-- ARGV: 1 op, 2 account, 3 op of the debit, 4 event id of the debit, 5 not_after_ms of the debit.
-- The split comes from the debit's own event, only if that event is of this incarnation, still in the stream, and holds that op.
local function debit_event()
  local incarnation, sequence = string.match(ARGV[4], '^(%d+)-(%d+)$')
  if incarnation ~= INCARNATION then return nil end
  -- An entry holds the debits of a call, a line for each or for several that drew alike; the last of them has its id.
  local found = redis.call('XRANGE', KEYS[2], ARGV[4], '+', 'COUNT', '1')[1]
  if not found or found[2][1] ~= 'debit' then return nil end
  local lines = {}
  for ops, rest in string.gmatch(found[2][2], '([^;\n]+)([^\n]+)') do
    for op in string.gmatch(ops, '[^,]+') do lines[#lines + 1] = op .. rest end
  end
  local line = lines[#lines - (tonumber(string.match(found[1], '%d+$')) - tonumber(sequence))]
  local op, account, split, key, at, price, period =
    string.match((line or '') .. ';', '^(%x+);(%x+);([%d:,]+);(%x*);[^;]+;%d+ (%d+) (%d+) (%d+) %d+ %d+;')
  if op ~= ARGV[3] or account ~= ARGV[2] then return nil end
  return { split = split, key = key, at = whole(at), price = whole(price), period = whole(period) }
end

-- What of a split lies beyond its first `kept` credits: the lots that expire first stay drawn.
local function beyond(split, kept)
  local rest = {}
  for id, credits in string.gmatch(split, '(%d+):(%d+)') do
    local stays = math.min(kept, tonumber(credits))
    kept = kept - stays
    if tonumber(credits) > stays then rest[#rest + 1] = id .. ':' .. text(tonumber(credits) - stays) end
  end
  return table.concat(rest, ',')
end

-- Answers the debit, what was kept of it, returned and left in the account; or nil and why not: 'closed' | 'absent' | 'frozen' | 'undo'.
local function close_debit(shard, kind, settled)
  local at, now = { lots = KEYS[4], future = KEYS[5], emptied = KEYS[6] }, text(shard.now)
  if redis.call('EXISTS', KEYS[7]) == 1 then return nil, 'closed' end
  local a = detail(load_account(KEYS[3]))
  if not a then return nil, 'absent' end
  if a.frozen then return nil, 'frozen' end
  local debit = debit_event()
  if not debit then
    mark_undo(shard, a, ARGV[2], ARGV[1], ARGV[3], text(whole(ARGV[5])), settled, KEYS[7], KEYS[8])
    return nil, 'undo'
  end
  local kept = math.min(settled or 0, debit.price)
  local lots = all_lots(at, a)
  local returned, lapsed, sum = put_back(lots, beyond(debit.split, kept), shard.now)
  local _, remaining = eligible(lots, shard.now)
  lower_used(a, debit.price - kept, debit.period)
  uncount(a, debit.key, debit.price - kept, debit.at, debit.period)
  assert_countable(lots)
  a.seq = a.seq + 1
  append(shard, KEYS[2], 'k', kind, 'op', ARGV[1], 'a', ARGV[2], 'q', text(a.seq), 't', now, 'of', ARGV[3], 's', returned,
    'l', lapsed, 'e', text(debit.period), 'r', text(remaining), 'u', text(a.used), 'i', debit.key, 'd', text(debit.at), unpack(settled and { 'kp', text(kept) } or {}))
  redis.call('SET', KEYS[7], kind)
  free_mark(KEYS[8], ARGV[3])
  keep_lots(at, a, lots, shard.now)
  save_account(a)
  save_counts(a)
  leave(shard)
  return debit, text(kept), text(sum), text(debit.price - kept - sum), text(remaining)
end
