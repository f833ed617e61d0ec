-- Draws credits for one or more requests of one shard, each answered on its own.
-- KEYS: 1 meta, 2 events, then 4 an account: its hash, lots, future, emptied; then the closed mark of each item's op; then the states of rates and
--   the idempotency marks that items name.
-- ARGV: 1 accounts, 2 items; then the id of each account; then 6 an item: op, which account, credits (≥ 1), not_after_ms, key ('' = none; with rates:
--   key, which of the last KEYS, spec of rates.lua), route and terms (terms.lua).
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
local many, items = whole(ARGV[1]), whole(ARGV[2])
local marks_from, keys_named, args_from = 2 + 4 * many, 2 + 4 * many + items, 2 + many
assert(#KEYS >= keys_named and #ARGV == args_from + 6 * items, 'an account is 4 keys and an argument, an item a key and 6 arguments')
-- Accounts as the items so far leave them, and what of that is not written yet. Deferred items change nothing but `m`.
local accounts, unwritten, rates, uncounted = {}, {}, {}, {}
-- Debits that are decided and not written, in their order: which items, and of each its event's id and what that says.
local decided, ids, said = {}, {}, {}
local which, routes, format, call = {}, {}, string.format, redis.call
-- Texts that were read: many items say the same.
local read_before, plain = {}, {}

local function read(text)
  local number = read_before[text]
  if not number then
    number = whole(text)
    read_before[text] = number
  end
  return number
end

local function find_account(whose, api_key)
  local a = accounts[whose]
  if not a then
    local key = KEYS[4 * whose - 1]
    a = load_account(key, api_key)
    if not a then return nil end
    accounts[whose], a.stored_period = a, a.period_end
  elseif a.held[api_key] == nil then
    a.held[api_key] = redis.call('HGET', a.key, 'x' .. api_key)
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
local function find_key(asker)
  if #asker <= 32 then return asker, nil end
  local key, place, spec = string.match(asker, '^(%x+) (%d+) (.+)$')
  local name = assert(KEYS[keys_named + tonumber(place)], 'the state of rates is not declared')
  if not rates[name] then rates[name] = load_rates(name, spec, now) end
  return key, rates[name]
end

-- An event is one field, which costs as much to write as many and a third to read (event/packed.rs names its parts).
local function write_decided()
  for _, i in ipairs(decided) do call('XADD', KEYS[2], ids[i], 'debit', said[i]) end
  for _, a in ipairs(unwritten) do
    call('HSET', a.key, 'm', money(a))
    if a.counted then save_counts(a) end
    a.unwritten = nil
  end
  for _, held in ipairs(uncounted) do
    save_rates(held)
    held.uncounted = nil
  end
  write_marks()
  decided, unwritten, uncounted = {}, {}, {}
end

local function draw(i, whose, price, not_after, terms)
  local v = args_from + (i - 1) * 6
  local key, held = find_key(ARGV[v + 5])
  local a = find_account(whose, key)
  if not a then
    want(ARGV[2 + whose])
    return 'absent'
  end
  if not a.frozen and (now >= a.period_end or now >= a.next_change or a.head.left < price) then detail(a) end -- needed below: is it readable?
  if a.frozen then return 'frozen' end
  if now >= not_after then return 'too_late' end
  if a.undos > 0 and redis.call('EXISTS', KEYS[marks_from + i]) == 1 then return 'closed' end
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
    at = { lots = KEYS[4 * whose], future = KEYS[4 * whose + 1], emptied = KEYS[4 * whose + 2] }
    lots, total, all = survey(at, a, price, now)
  end
  if total < price then return 'credits ' .. text(total) end
  if shard.sequence >= last_sequence then return 'exposure events' end
  if shard.exposed + price > cap_credits then return 'exposure credits' end
  if now >= until_ms then return 'exposure age' end

  local split, reached
  if head_pays then
    split, a.head.left = format('%d:%d', a.head.id, price), a.head.left - price
  else
    split, reached = take(lots, price)
  end
  a.seq, a.used, total = a.seq + 1, a.used + price, total - price
  shard.sequence, shard.exposed = shard.sequence + 1, shard.exposed + price
  local event, told_numbers = format('%s-%d', INCARNATION, shard.sequence), format('%d %d %d %d %d %d', a.seq, now, price, a.period_end, total, a.used)
  decided[#decided + 1], ids[i] = i, event
  said[i] = ARGV[v + 1] .. ';' .. ARGV[2 + whose] .. ';' .. split .. ';' .. key .. ';' .. routes[i] .. ';' .. told_numbers
  if terms then said[i] = said[i] .. take_terms(terms, ARGV[v + 1], now) end
  if count then count_drawn(a, count, price) end
  if not a.unwritten then a.unwritten, unwritten[#unwritten + 1] = true, a end
  local told = held and count_rates(held) or '-'
  if held and not held.uncounted then held.uncounted, uncounted[#uncounted + 1] = true, held end
  if not head_pays or a.period_end ~= a.stored_period then
    detail(a)
    write_decided()
    if all then keep_lots(at, a, all, now) elseif lots then store_reached(at, a, lots, reached, total) end
    save_account(a)
    a.stored_period = a.period_end
  end
  a.limit_text = a.limit_text or text(a.limit)
  return 'drawn ' .. event .. ' ' .. a.limit_text .. ' ' .. split .. ' ' .. told .. ' ' .. told_numbers
end

local prices, deadlines, terms, answers, before_all = {}, {}, {}, {}, shard.sequence
for i = 1, items do
  local v = args_from + (i - 1) * 6
  which[i], prices[i], deadlines[i] = read(ARGV[v + 2]), read(ARGV[v + 3]), read(ARGV[v + 4])
  assert(which[i] > 0 and which[i] <= many, 'the account is not declared')
  assert(prices[i] > 0, 'a debit draws at least 1')
  local asked = ARGV[v + 6]
  if plain[asked] then
    routes[i] = asked
  else
    routes[i], terms[i] = read_terms(asked, keys_named)
    plain[asked] = not terms[i]
  end
end
for i = 1, items do answers[i] = draw(i, which[i], prices[i], deadlines[i], terms[i]) end
if shard.sequence > before_all then
  write_decided()
  leave(shard)
end
return { text(now), table.concat(answers, '\n') }
