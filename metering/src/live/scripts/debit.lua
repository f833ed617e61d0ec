-- Draws credits for one or more requests of one shard, each answered on its own.
-- KEYS: 1 meta, 2 events, then 5 an item: account, lots, future, emptied, closed mark of its op.
-- ARGV: 1 items; then 6 an item: op, account, credits (≥ 1), not_after_ms, key ('' = none), route.
-- Rule: every argument is read before the first item draws. Nothing of an item is written unless all its checks pass, in this
--   order: present, not frozen → in time, not undone → status → key → budget of the current period → lots with credits at now, earliest expiry first → exposure below its caps.
-- Returns: {now_ms, item…}; an item is {'drawn', event id, 'seq now price period_end remaining used', limit, split} or {refusal, numbers…}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'open')
if not shard then return uncertified() end
local now, spends = shard.now, { t = true, a = true, o = true }
local last_sequence, until_ms, cap_credits = string.match(shard.bounds, '^(%d+) (%d+) (%d+)$')
last_sequence, until_ms, cap_credits = tonumber(last_sequence), tonumber(until_ms), tonumber(cap_credits)

-- Which lots pay `price` when the head alone can't: the lots in burn order with what they hold together, and whether all were read.
local function survey(at, a, price)
  if now >= a.next_change then
    local all = all_lots(at, a)
    local lots, total = eligible(all, now)
    return lots, total, all
  end
  local lots, held, from = { detail(a).head }, a.head.left, 0
  while held <= price do
    local page = page_of_lots(at, now, from)
    if #page == 0 then break end
    for _, lot in ipairs(page) do lots[#lots + 1], held = lot, held + lot.left end
    from = from + #page
  end
  return lots, a.head.left + a.tail, nil
end

-- Takes the price out of the lots in memory; answers the split and how many lots it reached.
local function take(lots, price)
  local split, reached = {}, 0
  while price > 0 do
    reached = reached + 1
    local lot = lots[reached]
    local part = math.min(lot.left, price)
    if part > 0 then split[#split + 1] = string.format('%.0f:%.0f', lot.id, part) end
    lot.before, lot.left, price = lot.left, lot.left - part, price - part
  end
  return table.concat(split, ','), reached
end

-- Stores what `take` left when only some lots were read: emptied ones aside, the next one with credits becomes the head.
local function store_reached(at, a, lots, reached, total)
  if lots[reached].left == 0 then reached = reached + 1 end
  for i = 1, math.min(reached, #lots) do
    local lot = lots[i]
    if i > 1 then
      local stored = { id = lot.id, left = lot.before or lot.left }
      assert(redis.call('ZREM', at.lots, member(lot.granted, stored)) == 1, 'a lot is not where it was read')
    end
    if lot.left == 0 and lot.id > 0 then redis.call('HSET', at.emptied, text(lot.id), string.format('%.0f %.0f', lot.granted, lot.expires)) end
  end
  local coming = redis.call('ZRANGE', at.future, '0', '0', 'WITHSCORES')
  a.head = lots[reached] or NO_HEAD
  a.tail = total - a.head.left
  a.next_change = math.min(lots[reached] and a.head.expires or NEVER, tonumber(coming[2] or NEVER))
end

local function draw(at, op, id, price, not_after, key, route)
  local a = load_account(at.account, key)
  if not a then return { 'absent' } end
  if a.frozen then return { 'frozen' } end
  if now >= not_after then return { 'too_late' } end
  if a.undos > 0 and redis.call('EXISTS', at.closed) == 1 then return { 'closed' } end
  if not spends[a.status] then return { 'status', a.status } end
  if a.key_revoked then return { 'key_revoked' } end
  local period = a.period_end
  turn_period(a, now)
  local limit = a.limit > 0 and a.limit or NEVER -- without a budget, what can be counted
  if a.used + price > limit then return { 'budget', text(limit), text(a.used), text(a.period_end) } end
  local lots, total, all = { a.head }, a.head.left + a.tail, nil
  if now >= a.next_change or a.head.left < price then lots, total, all = survey(at, a, price) end
  if total < price then return { 'credits', text(total) } end
  if shard.sequence >= last_sequence then return { 'exposure', 'events' } end
  if shard.exposed + price > cap_credits then return { 'exposure', 'credits' } end
  if now >= until_ms then return { 'exposure', 'age' } end

  local whole_head = #lots == 1 and not all
  local split, reached = take(lots, price)
  a.seq, a.used, total = a.seq + 1, a.used + price, total - price
  local numbers = string.format('%.0f %.0f %.0f %.0f %.0f %.0f', a.seq, now, price, a.period_end, total, a.used)
  local event = append(shard, KEYS[2], 'k', 'debit', 'op', op, 'a', id, 'b', numbers, 's', split, 'i', key, 'p', route)
  shard.exposed = shard.exposed + price
  local answer = { 'drawn', event, numbers, text(a.limit), split }
  if whole_head and a.period_end == period then
    redis.call('HSET', a.key, 'm', money(a))
    return answer
  end
  detail(a)
  if all then keep_lots(at, a, all, now) elseif not whole_head then store_reached(at, a, lots, reached, total) end
  save_account(a)
  return answer
end

local items, answers, before_all = {}, { text(now) }, shard.sequence
assert(#KEYS == 2 + 5 * whole(ARGV[1]) and #ARGV == 1 + 6 * whole(ARGV[1]), 'an item is 5 keys and 6 arguments')
for i = 1, whole(ARGV[1]) do
  local k, v = 2 + (i - 1) * 5, 1 + (i - 1) * 6
  local at = { account = KEYS[k + 1], lots = KEYS[k + 2], future = KEYS[k + 3], emptied = KEYS[k + 4], closed = KEYS[k + 5] }
  items[i] = { at, ARGV[v + 1], ARGV[v + 2], whole(ARGV[v + 3]), whole(ARGV[v + 4]), ARGV[v + 5], ARGV[v + 6] }
  assert(items[i][4] > 0, 'a debit draws at least 1')
end
for i, item in ipairs(items) do answers[i + 1] = draw(unpack(item)) end
if shard.sequence > before_all then leave(shard) end
return answers
