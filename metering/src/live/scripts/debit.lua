-- Draws credits for one or more requests of one shard, each answered on its own.
-- KEYS: 1 meta, 2 events, then 5 an item: account, lots, future, emptied, closed mark of its op; then the states of rates and the idempotency
--   marks that items name.
-- ARGV: 1 items; then 6 an item: op, account, credits (≥ 1), not_after_ms, key ('' = none; with rates: key, which of the last KEYS, spec of rates.lua),
--   route and terms (terms.lua).
-- Rule: every argument is read before the first item draws. Nothing of an item is written unless all its checks pass, in this
--   order: present, not frozen → in time, not undone → status → key → its Idempotency-Key → caps and rates of the key → budget of the current period
--   → lots with credits at now, earliest expiry first → exposure below its caps.
--   What head lots pay is decided in memory and written together, events first: an account that many items draw from is read and written once.
-- Returns: {now_ms, items}: a line an item, its words between blanks: `drawn event limit split rates seq now price period_end remaining used` (rates: '-' without),
--   or the refusal and the numbers that caused it.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'open')
if not shard then return uncertified() end
local now, spends = shard.now, { t = true, a = true, o = true }
local last_sequence, until_ms, cap_credits = string.match(shard.bounds, '^(%d+) (%d+) (%d+)$')
last_sequence, until_ms, cap_credits = tonumber(last_sequence), tonumber(until_ms), tonumber(cap_credits)
-- Accounts as the items so far leave them, and what of that is not written yet. Deferred items change nothing but `m`.
local accounts, events, unwritten, rates, uncounted = {}, {}, {}, {}, {}

local function find_account(key, api_key)
  local a = accounts[key]
  if not a then
    a = load_account(key, api_key)
    if not a then return nil end
    accounts[key], a.stored_period = a, a.period_end
  elseif a.held[api_key] == nil then
    a.held[api_key] = redis.call('HGET', key, 'x' .. api_key)
  end
  return a
end

-- While the shard is being installed (wanted.lua), who is asked for in vain moves to the head of the queue. Lack of memory keeps nobody waiting
-- longer than its turn.
local function want(account)
  local wanted = redis.call('HGET', KEYS[1], 'wanted')
  if not wanted or #wanted >= 64 * 33 or string.find(wanted, account, 1, true) then return end
  redis.pcall('HSET', KEYS[1], 'wanted', wanted .. account .. ' ')
end

-- The id of the key that asks, and what its rates have let pass.
local function find_key(asker, items)
  if #asker <= 32 then return asker, nil end
  local key, place, spec = string.match(asker, '^(%x+) (%d+) (.+)$')
  local name = assert(KEYS[2 + 5 * items + tonumber(place)], 'the state of rates is not declared')
  if not rates[name] then rates[name] = load_rates(name, spec, now) end
  return key, rates[name]
end

local function decide(a, ...)
  local id = string.format('%s-%d', INCARNATION, shard.sequence + 1)
  events[#events + 1] = { 'XADD', KEYS[2], id, 'v', '1', ... }
  shard.sequence = shard.sequence + 1
  if not a.unwritten then a.unwritten, unwritten[#unwritten + 1] = true, a end
  return id
end

local function write_decided()
  for _, event in ipairs(events) do redis.call(unpack(event)) end
  for _, a in ipairs(unwritten) do
    redis.call('HSET', a.key, 'm', money(a))
    if a.counted then save_counts(a) end
    a.unwritten = nil
  end
  for _, held in ipairs(uncounted) do
    save_rates(held)
    held.uncounted = nil
  end
  write_marks()
  events, unwritten, uncounted = {}, {}, {}
end

local function draw(i, price, not_after, route, terms, items)
  local k, v = 2 + (i - 1) * 5, 1 + (i - 1) * 6
  local key, held = find_key(ARGV[v + 5], items)
  local a = find_account(KEYS[k + 1], key)
  if not a then
    want(ARGV[v + 2])
    return 'absent'
  end
  if not a.frozen and (now >= a.period_end or now >= a.next_change or a.head.left < price) then detail(a) end -- needed below: is it readable?
  if a.frozen then return 'frozen' end
  if now >= not_after then return 'too_late' end
  if a.undos > 0 and redis.call('EXISTS', KEYS[k + 5]) == 1 then return 'closed' end
  if not spends[a.status] then return 'status ' .. a.status end
  local bound = a.held[key]
  if bound and is_revoked(bound) then return 'key_revoked' end
  if terms and terms.mark then
    local how = repeats(find_mark(terms.mark), terms.fingerprint, now)
    if how then return 'repeated ' .. how end
  end
  turn_period(a, now)
  local full, count
  if bound then full, count = check_caps(a, bound, price, now) end
  if full then return full end
  if held then
    local place, wait_ms = check_rates(held)
    if place then return string.format('rate %d %d', place, wait_ms) end
  end
  local limit = a.limit > 0 and a.limit or NEVER -- without a budget, what can be counted
  if a.used + price > limit then return string.format('budget %d %d %d', limit, a.used, a.period_end) end
  local head_pays = now < a.next_change and a.head.left >= price
  local at, lots, total, all = nil, nil, a.head.left + a.tail, nil
  if not head_pays then
    at = { lots = KEYS[k + 2], future = KEYS[k + 3], emptied = KEYS[k + 4] }
    lots, total, all = survey(at, a, price, now)
  end
  if total < price then return 'credits ' .. text(total) end
  if shard.sequence >= last_sequence then return 'exposure events' end
  if shard.exposed + price > cap_credits then return 'exposure credits' end
  if now >= until_ms then return 'exposure age' end

  local split, reached
  if head_pays then
    split, a.head.left = string.format('%d:%d', a.head.id, price), a.head.left - price
  else
    split, reached = take(lots, price)
  end
  a.seq, a.used, total = a.seq + 1, a.used + price, total - price
  local numbers = string.format('%d %d %d %d %d %d', a.seq, now, price, a.period_end, total, a.used)
  if count then count_drawn(a, count, price) end
  local event = decide(a, 'k', 'debit', 'op', ARGV[v + 1], 'a', ARGV[v + 2], 'b', numbers, 's', split, 'i', key, 'p', route)
  if terms then take_terms(terms, ARGV[v + 1], now, events[#events]) end
  shard.exposed = shard.exposed + price
  local told = held and count_rates(held) or '-'
  if held and not held.uncounted then held.uncounted, uncounted[#uncounted + 1] = true, held end
  if not head_pays or a.period_end ~= a.stored_period then
    detail(a)
    write_decided()
    if all then keep_lots(at, a, all, now) elseif lots then store_reached(at, a, lots, reached, total) end
    save_account(a)
    a.stored_period = a.period_end
  end
  return string.format('drawn %s %d %s %s %s', event, a.limit, split, told, numbers)
end

local items = whole(ARGV[1])
assert(#KEYS >= 2 + 5 * items and #ARGV == 1 + 6 * items, 'an item is 5 keys and 6 arguments')
local prices, deadlines, routes, terms, answers, before_all = {}, {}, {}, {}, {}, shard.sequence
for i = 1, items do
  prices[i], deadlines[i] = whole(ARGV[6 * i - 2]), whole(ARGV[6 * i - 1])
  routes[i], terms[i] = read_terms(ARGV[6 * i + 1], 2 + 5 * items)
  assert(prices[i] > 0, 'a debit draws at least 1')
end
for i = 1, items do answers[i] = draw(i, prices[i], deadlines[i], routes[i], terms[i], items) end
if shard.sequence > before_all then
  write_decided()
  leave(shard)
end
return { text(now), table.concat(answers, '\n') }
