-- What few debits ask beside: to be a hold, to draw once under an Idempotency-Key. `asked` is the route alone, or
-- `route hold_until_ms place key fingerprint in_use_until_ms`: 0 = no hold; place 0 = no Idempotency-Key, and then key and fingerprint are empty.
local marks, unwritten_marks = {}, {} -- marks as the items so far leave them

-- Answers the terms, with the route; keys stand after `before` others.
local function read_terms(asked, before)
  local route, hold, place, key, fingerprint, until_ms = string.match(asked, '^(%S+) (%d+) (%d+) (%x*) (%x*) (%d+)$')
  assert(route, 'these are no terms')
  local terms = { route = route, key = key, fingerprint = fingerprint, until_ms = until_ms, hold = hold ~= '0' and text(whole(hold)) or nil }
  if place ~= '0' then terms.mark = assert(KEYS[before + tonumber(place)], 'the mark is not declared') end
  return terms
end

local function find_mark(name)
  if marks[name] == nil then marks[name] = redis.call('GET', name) end
  return marks[name]
end

-- A debit draws on these terms: answers the parts that its event says them in.
local function take_terms(terms, op, now)
  local held = ';' .. (terms.hold or '')
  if not terms.mark then return held end
  marks[terms.mark] = string.format('%s %s %d %s', op, terms.fingerprint, now, terms.until_ms)
  unwritten_marks[#unwritten_marks + 1] = terms.mark
  return string.format('%s;%s %s %s', held, terms.key, terms.fingerprint, terms.until_ms)
end

local function write_marks()
  for _, name in ipairs(unwritten_marks) do redis.call('SET', name, marks[name]) end
  unwritten_marks = {}
end
