-- Draws credits for requests of one shard, each answered on its own, in their order.
-- KEYS: 1 meta, 2 events, then an account's hash, in the form 'whole' its hash, lots, future, emptied; then the states of rates and the idempotency
--   marks that asks name; 'whole', then the closed mark of each op.
-- ARGV: 1 accounts, 2 form: 'brief' | 'whole'; then the id of each account; then the asks: which account, how many ops (≥ 1), credits of each (≥ 1),
--   not_after_ms, key ('' = none; with rates: key, which of the KEYS after the accounts', spec of rates.lua), route and terms (terms.lua), then
--   the ops, one if there are terms.
-- Rule: every argument is read before the first op draws. Nothing of an op is written unless all its checks pass, in this
--   order: present, not frozen → in time, not undone → status → key → its Idempotency-Key → caps and rates of the key → budget of the current period
--   → lots with credits at now, earliest expiry first → exposure below its caps.
--   What head lots pay is decided in memory and written together, events first: an account that many ops draw from is read and written once.
--   'brief' ends before the first op that needs a key it does not name.
-- Returns: {now_ms, answers, id of the last event before them}: a line an op behind a line feed, its words between blanks: the refusal and the numbers
--   that caused it, or `drawn ops limit rates event` for as many ops as it says, which draw alike (rates: '-' without; event: what the event of the
--   first says behind its op, event/packed.rs; the first that was drawn has the next id, and so on). Fewer lines than ops: 'brief' has ended.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'open')
if not shard then return uncertified() end
local KEYS, ARGV, now, format = KEYS, ARGV, shard.now, string.format
local last_sequence, until_ms, cap_credits = unpacked(THREE, shard.bounds)
-- The tables have room for what a call with one op puts into them: Lua makes one that grows anew.
-- Accounts as the ops so far leave them, and what of that is not written yet. Deferred ops change nothing but `m`.
local accounts, unwritten = { nil }, { nil }
-- What the events say of debits that are decided and not written, piece by piece: the last of them has the shard's sequence.
local said = { nil, nil }
-- Texts that were read as numbers: many ops say the same.
local read_before = { ['1'] = 1, price = nil, not_after = nil, more = nil }
local rules -- rarely.lua, once an op needs them
local answers = { nil, nil }

local function read(text)
  local number = read_before[text]
  if not number then
    number = whole(text)
    read_before[text] = number
  end
  return number
end

local many, brief = read(ARGV[1]), ARGV[2] == 'brief'
assert(brief or ARGV[2] == 'whole', 'a form is brief or whole')
local keys_each = brief and 1 or 4
local before_named = 2 + keys_each * many

-- All of them are one entry of the stream, whose id is that of the last (event/packed.rs).
local function write_decided()
  if said[1] then
    redis.call('XADD', KEYS[2], format('%s-%d', INCARNATION, shard.sequence), 'debit', table.concat(said))
    said = {}
  end
  for i, a in ipairs(unwritten) do
    redis.call('HSET', a.key, 'm', money(a))
    if a.counted then rules.save_counts(a) end
    a.unwritten, unwritten[i] = nil, nil
  end
  if rules then rules.write_beside() end
end

-- Draws for `count` ops from ARGV[first] on, of the ask that begins at ARGV[v]. Answers a refusal, or nothing and says what was drawn in `answers`.
-- Of several ops a refusal is that of each of them, or 'alone': they have to be asked one by one. Nothing is drawn then.
local function draw(v, first, count, closed, terms)
  local whose, price, key, held = read_before[ARGV[v]], read_before[ARGV[v + 2]], ARGV[v + 4], nil
  local together = price * count
  if #key > 32 then key, held = rules.find_rates(key, before_named, now) end
  local a = accounts[whose]
  if not a then
    a = load_account(KEYS[3 + keys_each * (whose - 1)], key)
    if not a then
      rules = rules or rare_rules()
      rules.want(ARGV[2 + whose])
      return 'absent'
    end
    accounts[whose] = a
  elseif a.held[key] == nil then
    a.held[key] = redis.call('HGET', a.key, 'x' .. key)
  end
  local bound = a.held[key]
  if count > 1 and (bound or held or a.undos > 0) then return 'alone' end
  if bound then rules = rules or rare_rules() end
  if not a.frozen and (now >= a.period_end or now >= a.next_change or a.head.left < price) then
    rules = rules or rare_rules()
    rules.detail(a) -- needed below: is it readable?
  end
  if a.frozen then return 'frozen' end
  if now >= read_before[ARGV[v + 3]] then return 'too_late' end
  if a.undos > 0 then
    if brief then return 'more' end
    if redis.call('EXISTS', closed) == 1 then return 'closed' end
  end
  local status = a.status
  if status ~= 'a' and status ~= 't' and status ~= 'o' then return 'status ' .. status end
  if bound and rules.is_revoked(bound) then return 'key_revoked' end
  if terms and terms.mark then
    local how = rules.repeats(rules.find_mark(terms.mark), terms.fingerprint, now)
    if how then return 'repeated ' .. how end
  end
  if now >= a.period_end then
    rules.turn_period(a, now)
    a.turned = true
  end
  local full, counted
  if bound then full, counted = rules.check_caps(a, bound, price, now) end
  if full then return full end
  if held then
    local place, wait_ms = rules.check_rates(held)
    if place then return format('rate %d %d', place, wait_ms) end
  end
  local limit = a.limit > 0 and a.limit or NEVER -- without a budget, what can be counted
  if a.used + together > limit then
    if a.used + price <= limit then return 'alone' end
    return format('budget %d %d %d', limit, a.used, a.period_end)
  end
  local head = a.head
  local head_pays = now < a.next_change and head.left >= together
  local at, lots, total, all = nil, nil, head.left + a.tail, nil
  if not head_pays then -- and then the rules are there, unless it is by several
    if now < a.next_change and total < price then return 'credits ' .. text(total) end -- no lot has to be looked at for that
    if count > 1 then return 'alone' end
    if brief then return 'more' end
    local own = 3 + keys_each * (whose - 1)
    at = { lots = KEYS[own + 1], future = KEYS[own + 2], emptied = KEYS[own + 3] }
    lots, total, all = rules.survey(at, a, price, now)
  end
  if total < price then return 'credits ' .. text(total) end
  if shard.sequence + count > last_sequence then return count > 1 and 'alone' or 'exposure events' end
  if shard.exposed + together > cap_credits then return count > 1 and 'alone' or 'exposure credits' end
  if now >= until_ms then return 'exposure age' end

  local split, reached
  if head_pays then
    split, head.left = format('%d:%d', head.id, price), head.left - together
  else
    split, reached = rules.take(lots, price)
  end
  local event = format(';%s;%s;%s;%s;%d %d %d %d %d %d', ARGV[2 + whose], split, key, terms and terms.route or ARGV[v + 5],
    a.seq + 1, now, price, a.period_end, total - price, a.used + price)
  if terms then event = event .. rules.take_terms(terms, ARGV[first], now) end
  a.seq, a.used, total = a.seq + count, a.used + together, total - together
  shard.sequence, shard.exposed = shard.sequence + count, shard.exposed + together
  local n = #said
  if n > 0 then said[n + 1], n = '\n', n + 1 end
  said[n + 1], said[n + 2] = count > 1 and table.concat(ARGV, ',', first, first + count - 1) or ARGV[first], event
  if counted then rules.count_drawn(a, counted, price) end
  if not a.unwritten then a.unwritten, unwritten[#unwritten + 1] = true, a end
  local told = held and rules.count_rates(held)
  if not head_pays or a.turned then
    write_decided()
    if all then rules.keep_lots(at, a, all, now) elseif lots then rules.store_reached(at, a, lots, reached, total) end
    rules.save_account(a)
    leave(shard) -- should a later op of the call fail, what is written is known
    a.turned = nil
  end
  n = #answers
  answers[n + 1], answers[n + 2] = format('\ndrawn %d %d %s ', count, a.limit, told or '-'), event
end

local terms, plain, before_all, ops, v = {}, nil, shard.sequence, 0, 3 + many
while ARGV[v] do
  local whose, count, asked = read(ARGV[v]), read(ARGV[v + 1]), ARGV[v + 5]
  assert(whose > 0 and whose <= many, 'the account is not declared')
  assert(count > 0 and ARGV[v + 5 + count], 'an ask has an op')
  assert(read(ARGV[v + 2]) > 0, 'a debit draws at least 1')
  read(ARGV[v + 3])
  if #ARGV[v + 4] > 32 then rules = rules or rare_rules() end
  if asked ~= plain then
    if string.find(asked, ' ', 1, true) then
      assert(count == 1, 'terms are those of one op')
      rules = rules or rare_rules()
      terms[v] = rules.read_terms(asked, before_named)
    else
      plain = asked
    end
  end
  v, ops = v + 6 + count, ops + count
end
assert(#KEYS >= before_named + (brief and 0 or ops), 'a key is not declared')
local going, closed = true, #KEYS - ops
v = 3 + many
while going and ARGV[v] do
  local count = read_before[ARGV[v + 1]]
  local refused = count > 1 and draw(v, v + 6, count)
  if count == 1 or refused == 'alone' then
    for i = 1, count do
      refused = draw(v, v + 5 + i, 1, KEYS[closed + i], terms[v])
      going = refused ~= 'more'
      if not going then break end -- 'brief' ends
      if refused then answers[#answers + 1] = '\n' .. refused end
    end
  elseif refused then
    answers[#answers + 1] = string.rep('\n' .. refused, count)
  end
  v, closed = v + 6 + count, closed + count
end
if shard.sequence > before_all then
  write_decided()
  leave(shard)
end
return { text(now), table.concat(answers), format('%s-%d', INCARNATION, before_all) }
