-- Rates of keys by the generic cell rate algorithm: each rate keeps the instant (µs) at which all it has let pass is spread out evenly.
-- Not money: the state lives until it says nothing any more, and an incarnation begins without it.
-- A spec is `name:emission_us:burst,…`; a state is a hash of name → µs. Both are in the order of the key's policy.
local function load_rates(key, spec, now)
  local held = { key = key, now_us = now * 1000 }
  for name, emission, burst in string.gmatch(spec, '([^:,]+):(%d+):(%d+)') do
    held[#held + 1] = { name = name, emission = tonumber(emission), burst = tonumber(burst) }
  end
  assert(#held > 0, 'a spec names a rate')
  local names = {}
  for i, rate in ipairs(held) do names[i] = rate.name end
  local idle_at = redis.call('HMGET', key, unpack(names))
  for i, rate in ipairs(held) do rate.idle_at = math.max(tonumber(idle_at[i] or '0'), held.now_us) end
  return held
end

-- The first rate that lets nothing pass now: its place, and when it will, in ms. Nothing is counted.
local function check_rates(held)
  for i, rate in ipairs(held) do
    local ahead = rate.idle_at + rate.emission - held.now_us - rate.burst * rate.emission
    if ahead > 0 then return i, math.ceil(ahead / 1000) end
  end
end

-- One request passes. Answers `left:ms until all is there again,…`.
local function count_rates(held)
  local told = {}
  for i, rate in ipairs(held) do
    rate.idle_at = rate.idle_at + rate.emission
    local busy = rate.idle_at - held.now_us
    told[i] = string.format('%d:%d', math.floor((rate.burst * rate.emission - busy) / rate.emission), math.ceil(busy / 1000))
  end
  return table.concat(told, ',')
end

local function save_rates(held)
  local fields, last = {}, held.now_us
  for _, rate in ipairs(held) do
    fields[#fields + 1], fields[#fields + 2] = rate.name, string.format('%d', rate.idle_at)
    last = math.max(last, rate.idle_at)
  end
  redis.call('HSET', held.key, unpack(fields))
  redis.call('PEXPIRE', held.key, string.format('%d', math.ceil((last - held.now_us) / 1000) + 60000)) -- a minute more: clocks differ
end
