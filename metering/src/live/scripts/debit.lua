-- Draws credits for one or more requests of one shard, each answered on its own.
-- KEYS: 1 meta, 2 events, then 4 an account: its hash, lots, future, emptied; then the closed mark of each item's op; then the states of rates and
--   the idempotency marks that items name.
-- ARGV: 1 accounts, 2 items; then the id of each account; then 6 an item: op, which account, credits (≥ 1), not_after_ms, key ('' = none; with rates:
--   key, which of the last KEYS, spec of rates.lua), route and terms (terms.lua).
-- Rule: every argument is read before the first item draws. Nothing of an item is written unless all its checks pass, in this
--   order: present, not frozen → in time, not undone → status → key → its Idempotency-Key → caps and rates of the key → budget of the current period
--   → lots with credits at now, earliest expiry first → exposure below its caps.
--   What head lots pay is decided in memory and written together, events first: an account that many items draw from is read and written once.
-- Returns: {now_ms, items, id of the last event before them}: a line an item behind a line feed, its words between blanks: `drawn limit rates event` (rates: '-' without; event:
--   what its event says, event/packed.rs; the first that was drawn has the next id, and so on), or the refusal and the numbers that caused it.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'open')
if not shard then return uncertified() end
local KEYS, ARGV, now, format = KEYS, ARGV, shard.now, string.format
local last_sequence, until_ms, cap_credits = string.match(shard.bounds, '^(%d+) (%d+) (%d+)$')
last_sequence, until_ms, cap_credits = tonumber(last_sequence), tonumber(until_ms), tonumber(cap_credits)
-- Accounts as the items so far leave them, and what of that is not written yet. Deferred items change nothing but `m`.
local accounts, unwritten = {}, {}
-- What the events say of debits that are decided and not written, in their order: the last of them has the shard's sequence.
local said = {}
-- Texts that were read as numbers: many items say the same.
local read_before = {}
local rules -- rarely.lua, once an item needs them
local answers = {}

local function read(text)
  local number = read_before[text]
  if not number then
    number = whole(text)
    read_before[text] = number
  end
  return number
end

local many, items = read(ARGV[1]), read(ARGV[2])
local marks_from, keys_named, args_from = 2 + 4 * many, 2 + 4 * many + items, 2 + many
assert(#KEYS >= keys_named and #ARGV == args_from + 6 * items, 'an account is 4 keys and an argument, an item a key and 6 arguments')

-- All of them are one entry of the stream, whose id is that of the last (event/packed.rs).
local function write_decided()
  if #said > 0 then
    redis.call('XADD', KEYS[2], format('%s-%d', INCARNATION, shard.sequence), 'debit', said[2] and table.concat(said, '\n') or said[1])
    said = {}
  end
  for i, a in ipairs(unwritten) do
    redis.call('HSET', a.key, 'm', money(a))
    if a.counted then rules.save_counts(a) end
    a.unwritten, unwritten[i] = nil, nil
  end
  if rules then rules.write_beside() end
end

-- Answers a refusal, or nothing and says what was drawn in `answers`.
local function draw(i, whose, price, not_after, terms)
  local v = args_from + (i - 1) * 6
  local key, held = ARGV[v + 5], nil
  if #key > 32 then key, held = rules.find_rates(key, keys_named, now) end
  local a = accounts[whose]
  if not a then
    a = load_account(KEYS[4 * whose - 1], key)
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
  if bound then rules = rules or rare_rules() end
  if not a.frozen and (now >= a.period_end or now >= a.next_change or a.head.left < price) then
    rules = rules or rare_rules()
    rules.detail(a) -- needed below: is it readable?
  end
  if a.frozen then return 'frozen' end
  if now >= not_after then return 'too_late' end
  if a.undos > 0 and redis.call('EXISTS', KEYS[marks_from + i]) == 1 then return 'closed' end
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
  local full, count
  if bound then full, count = rules.check_caps(a, bound, price, now) end
  if full then return full end
  if held then
    local place, wait_ms = rules.check_rates(held)
    if place then return format('rate %d %d', place, wait_ms) end
  end
  local limit = a.limit > 0 and a.limit or NEVER -- without a budget, what can be counted
  if a.used + price > limit then return format('budget %d %d %d', limit, a.used, a.period_end) end
  local head = a.head
  local head_pays = now < a.next_change and head.left >= price
  local at, lots, total, all = nil, nil, head.left + a.tail, nil
  if not head_pays then -- and then the rules are there
    if now < a.next_change and total < price then return 'credits ' .. text(total) end -- no lot has to be looked at for that
    at = { lots = KEYS[4 * whose], future = KEYS[4 * whose + 1], emptied = KEYS[4 * whose + 2] }
    lots, total, all = rules.survey(at, a, price, now)
  end
  if total < price then return 'credits ' .. text(total) end
  if shard.sequence >= last_sequence then return 'exposure events' end
  if shard.exposed + price > cap_credits then return 'exposure credits' end
  if now >= until_ms then return 'exposure age' end

  local split, reached
  if head.price ~= price then -- many items say the same
    head.price, head.split = price, format('%d:%d', head.id, price)
    a.middle = format(' %d %d %d ', now, price, a.period_end)
  end
  if head_pays then
    split, head.left = head.split, head.left - price
  else
    split, reached = rules.take(lots, price)
  end
  a.seq, a.used, total = a.seq + 1, a.used + price, total - price
  shard.sequence, shard.exposed = shard.sequence + 1, shard.exposed + price
  local event = ARGV[v + 1] .. ';' .. ARGV[2 + whose] .. ';' .. split .. ';' .. key .. ';' .. (terms and terms.route or ARGV[v + 6]) .. ';'
    .. format('%d%s%d %d', a.seq, a.middle, total, a.used) .. (terms and rules.take_terms(terms, ARGV[v + 1], now) or '')
  said[#said + 1] = event
  if count then rules.count_drawn(a, count, price) end
  if not a.unwritten then a.unwritten, unwritten[#unwritten + 1] = true, a end
  local told = held and rules.count_rates(held)
  if not head_pays or a.turned then
    write_decided()
    if all then rules.keep_lots(at, a, all, now) elseif lots then rules.store_reached(at, a, lots, reached, total) end
    rules.save_account(a)
    a.turned = nil
  end
  local n = #answers -- what is in an event already is not put together anew
  answers[n + 1], answers[n + 2], answers[n + 3], answers[n + 4] = '\ndrawn ', a.limit_text, told and ' ' .. told .. ' ' or ' - ', event
end

local terms, before_all, plain = {}, shard.sequence, nil
for i = 1, items do
  local v = args_from + (i - 1) * 6
  local whose, asked = read(ARGV[v + 2]), ARGV[v + 6]
  assert(whose > 0 and whose <= many, 'the account is not declared')
  assert(read(ARGV[v + 3]) > 0, 'a debit draws at least 1')
  read(ARGV[v + 4])
  if #ARGV[v + 5] > 32 then rules = rules or rare_rules() end
  if asked ~= plain then
    if string.find(asked, ' ', 1, true) then
      rules = rules or rare_rules()
      terms[i] = rules.read_terms(asked, keys_named)
    else
      plain = asked
    end
  end
end
for i = 1, items do
  local v = args_from + (i - 1) * 6
  local refused = draw(i, read_before[ARGV[v + 2]], read_before[ARGV[v + 3]], read_before[ARGV[v + 4]], terms[i])
  if refused then answers[#answers + 1] = '\n' .. refused end
end
if shard.sequence > before_all then
  write_decided()
  leave(shard)
end
return { text(now), table.concat(answers), format('%s-%d', INCARNATION, before_all) }
