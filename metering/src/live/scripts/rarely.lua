-- Ends what aside.lua begins.
-- What the items of a call have left in rates, by the names of their states; and which of that is not written yet.
local rates, uncounted = {}, {}

-- The id of the key that asks, and how its rates stand; `asker` is key, which of the KEYS after `before` others, spec.
local function find_rates(asker, before, now)
  local key, place, spec = string.match(asker, '^(%x+) (%d+) (.+)$')
  local name = assert(KEYS[before + tonumber(place)], 'the state of rates is not declared')
  if not rates[name] then rates[name] = load_rates(name, spec, now) end
  return key, rates[name]
end

local function count_rate(held)
  if not held.uncounted then held.uncounted, uncounted[#uncounted + 1] = true, held end
  return count_rates(held)
end

-- What is neither an event nor an account, after those.
local function write_beside()
  for i, held in ipairs(uncounted) do
    save_rates(held)
    held.uncounted, uncounted[i] = nil, nil
  end
  write_marks()
end

-- While the shard is being installed (wanted.lua), who is asked for in vain moves to the head of the queue. Lack of memory keeps nobody waiting
-- longer than its turn.
local function want(account)
  local wanted = redis.call('HGET', KEYS[1], 'wanted')
  if not wanted or #wanted >= 64 * 33 or string.find(wanted, account, 1, true) then return end
  redis.pcall('HSET', KEYS[1], 'wanted', wanted .. account .. ' ')
end

return {
  want = want, detail = detail, is_revoked = is_revoked, turn_period = turn_period, save_account = save_account,
  survey = survey, take = take, store_reached = store_reached, keep_lots = keep_lots,
  check_caps = check_caps, count_drawn = count_drawn, save_counts = save_counts,
  find_rates = find_rates, check_rates = check_rates, count_rates = count_rate,
  repeats = repeats, read_terms = read_terms, find_mark = find_mark, take_terms = take_terms, write_beside = write_beside,
}
end
