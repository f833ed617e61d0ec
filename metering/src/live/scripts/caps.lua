-- What keys of an account may draw, and have drawn. Only keys with caps, and those that count as one with them, have these fields in the
-- account hash:
-- x<key> = key it counts against, cap of a day, cap of a budget period (0 = none), behind an 'r' if it is revoked · w<that key> = day, drawn on it, period_end, drawn in it.
local function load_count(a, of)
  a.counts = a.counts or {}
  local count = a.counts[of]
  if not count then
    local numbers = redis.call('HGET', a.key, 'w' .. of) or '0 0 0 0'
    local day, day_used, period_end, period_used = string.match(numbers, '^(%d+) (%d+) (%d+) (%d+)$')
    count = { of = of, day = tonumber(day), day_used = tonumber(day_used), period_end = tonumber(period_end), period_used = tonumber(period_used) }
    a.counts[of] = count
  end
  return count
end

-- The refusal where a cap of a key that is not revoked has no room for the price, else nil and the count; the budget period must be that of `now`.
local function check_caps(a, rule, price, now)
  local of, day_cap, month_cap = string.match(rule, '^(%x+) (%d+) (%d+)$')
  local count, day = load_count(a, of), math.floor(now / 86400000)
  day_cap, month_cap = tonumber(day_cap), tonumber(month_cap)
  if day > count.day then count.day, count.day_used = day, 0 end
  if a.period_end > count.period_end then count.period_end, count.period_used = a.period_end, 0 end
  if day_cap > 0 and count.day_used + price > day_cap then
    return string.format('cap day %d %d %d', day_cap, count.day_used, (day + 1) * 86400000)
  end
  if month_cap > 0 and count.period_used + price > month_cap then
    return string.format('cap month %d %d %d', month_cap, count.period_used, a.period_end)
  end
  return nil, count
end

-- Counts what was drawn; only memory.
local function count_drawn(a, count, price)
  count.day_used, count.period_used = count.day_used + price, count.period_used + price
  a.counted = a.counted or {}
  a.counted[count.of] = count
end

-- Takes a debit of this key back out of the day and the period it was counted in, if those are still counted; only memory.
local function uncount(a, key, credits, debited_at, period_end)
  local of = key ~= '' and string.match(redis.call('HGET', a.key, 'x' .. key) or '', '^r?(%x+) ')
  if not of then return end
  local count = load_count(a, of)
  if count.day == math.floor(debited_at / 86400000) then count.day_used = math.max(count.day_used - credits, 0) end
  if count.period_end == period_end then count.period_used = math.max(count.period_used - credits, 0) end
  a.counted = a.counted or {}
  a.counted[count.of] = count
end

local function save_counts(a)
  for of, count in pairs(a.counted or {}) do
    redis.call('HSET', a.key, 'w' .. of, string.format('%d %d %d %d', count.day, count.day_used, count.period_end, count.period_used))
  end
  a.counted = nil
end
