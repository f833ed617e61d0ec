-- The lots of one account. A lot is {id, left, granted, expires}; `at` names the keys {lots, future, emptied}.
-- lots: score = expires, member = granted:id:left, so that equal expiries stand by oldest grant, then id. future: score = granted,
-- member = expires:id:left. A letter before the id says how many digits it has (`a7`, `c120`): it stands in its order without zeros that
-- each account would keep in memory. emptied: id → granted expires, for lots that may still get credits back.
local function member(first, lot)
  local id = text(lot.id)
  return string.format('%013d:%s%s:%d', first, string.char(96 + #id), id, lot.left)
end

local function from_member(value, score)
  local first, id, left = string.match(value, '^(%d+):%l(%d+):(%d+)$')
  return { id = tonumber(id), left = tonumber(left), member = value }, tonumber(first), tonumber(score)
end

local function before(a, b)
  if a.expires ~= b.expires then return a.expires < b.expires end
  if a.granted ~= b.granted then return a.granted < b.granted end
  return a.id < b.id
end

-- Lots that can be drawn after the head, in burn order, from place `from` on, 32 at a time.
local function page_of_lots(at, now, from)
  local page, found = redis.call('ZRANGEBYSCORE', at.lots, '(' .. text(now), '+inf', 'WITHSCORES', 'LIMIT', text(from), '32'), {}
  for i = 1, #page, 2 do
    local lot, granted, expires = from_member(page[i], page[i + 1])
    lot.granted, lot.expires = granted, expires
    found[#found + 1] = lot
  end
  return found
end

-- Every lot that has credits or may get some back.
local function all_lots(at, a)
  local lots = {}
  detail(a)
  if a.head.id > 0 then lots[1] = { id = a.head.id, left = a.head.left, granted = a.head.granted, expires = a.head.expires } end
  local stored = redis.call('ZRANGE', at.lots, '0', '-1', 'WITHSCORES')
  for i = 1, #stored, 2 do
    local lot, granted, expires = from_member(stored[i], stored[i + 1])
    lot.granted, lot.expires = granted, expires
    lots[#lots + 1] = lot
  end
  local future = redis.call('ZRANGE', at.future, '0', '-1', 'WITHSCORES')
  for i = 1, #future, 2 do
    local lot, expires, granted = from_member(future[i], future[i + 1])
    lot.granted, lot.expires = granted, expires
    lots[#lots + 1] = lot
  end
  local emptied = redis.call('HGETALL', at.emptied)
  for i = 1, #emptied, 2 do
    local granted, expires = string.match(emptied[i + 1], '^(%d+) (%d+)$')
    lots[#lots + 1] = { id = tonumber(emptied[i]), left = 0, granted = tonumber(granted), expires = tonumber(expires) }
  end
  return lots
end

-- Lots that can be drawn at `now`, in burn order, and what they hold together. Half-open: granted ≤ now < expires.
local function eligible(lots, now)
  local found, total = {}, 0
  for _, lot in ipairs(lots) do
    if lot.left > 0 and lot.granted <= now and now < lot.expires then
      found[#found + 1], total = lot, total + lot.left
    end
  end
  table.sort(found, before)
  return found, total
end

-- Asked before the event is appended: sums that could not be written afterwards would leave an event without its effect.
local function assert_countable(lots)
  local sum = 0
  for _, lot in ipairs(lots) do sum = sum + lot.left end
  assert(sum <= NEVER, 'the lots would hold more than can be counted')
end

local NO_HEAD = { id = 0, left = 0, granted = 0, expires = 0 }

-- Writes all lots anew and sets head, tail and next_change of the account.
local function keep_lots(at, a, lots, now)
  local drawable, total = eligible(lots, now)
  local head = drawable[1] or NO_HEAD
  redis.call('DEL', at.lots, at.future, at.emptied)
  a.next_change = drawable[1] and head.expires or NEVER
  for _, lot in ipairs(lots) do
    if lot.left == 0 then
      if lot.expires > now then redis.call('HSET', at.emptied, text(lot.id), string.format('%d %d', lot.granted, lot.expires)) end
    elseif lot.expires > now and lot.granted > now then
      redis.call('ZADD', at.future, text(lot.granted), member(lot.expires, lot))
      a.next_change = math.min(a.next_change, lot.granted)
    elseif lot ~= head then
      redis.call('ZADD', at.lots, text(lot.expires), member(lot.granted, lot))
    end
  end
  a.head, a.tail = head, total - head.left
end
