-- The account hash, packed: p = status anchor limit · m = seq used head_left · c = head lot, granted, expires, tail_left ·
-- n = next_change period_end · v = version row · z = frozen by epoch · u = undos pending · x<key> = revoked key.
-- Head and tail are true until next_change: the head's expiry or the first instant of a lot to come.
local function pack(...)
  local parts = { ... }
  for i = 1, #parts do parts[i] = text(parts[i]) end
  return table.concat(parts, ' ')
end

-- Also answers whether the key of this id was revoked ('' = no key).
local function load_account(key, api_key)
  local f = redis.call('HMGET', key, 'p', 'm', 'c', 'n', 'v', 'z', 'u', 'x' .. (api_key or ''))
  if not f[1] then return nil end
  local a = { key = key, frozen = f[6], undos = tonumber(f[7] or '0'), key_revoked = f[8] }
  local anchor, limit = string.match(f[1], '^%l (%d+) (%d+)$')
  local seq, used, left = string.match(f[2], '^(%d+) (%d+) (%d+)$')
  local id, granted, expires, tail = string.match(f[3], '^(%d+) (%d+) (%d+) (%d+)$')
  local next_change, period_end = string.match(f[4], '^(%d+) (%d+)$')
  local version, row = string.match(f[5], '^(%d+) (%d+)$')
  a.status, a.anchor, a.limit = string.sub(f[1], 1, 1), tonumber(anchor), tonumber(limit)
  a.seq, a.used = tonumber(seq), tonumber(used)
  a.head = { id = tonumber(id), left = tonumber(left), granted = tonumber(granted), expires = tonumber(expires) }
  a.tail, a.next_change, a.period_end = tonumber(tail), tonumber(next_change), tonumber(period_end)
  a.version, a.row = tonumber(version), tonumber(row)
  return a
end

local function save_account(a)
  local h = a.head
  redis.call('HSET', a.key, 'p', a.status .. ' ' .. pack(a.anchor, a.limit), 'm', pack(a.seq, a.used, h.left),
    'c', pack(h.id, h.granted, h.expires, a.tail), 'n', pack(a.next_change, a.period_end), 'v', pack(a.version, a.row))
  if a.undos > 0 then redis.call('HSET', a.key, 'u', text(a.undos)) else redis.call('HDEL', a.key, 'u') end
end

-- First instant after the budget period that holds `now`: midnight UTC of the next anchor day (Howard Hinnant's civil calendar).
local function period_end(anchor, now)
  local floor = math.floor
  local days = floor(now / 86400000) + 719468
  local era = floor(days / 146097)
  local doe = days - era * 146097
  local yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524) - floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100))
  local month = floor((5 * doy + 2) / 153)                            -- 0 is March
  local day = doy - floor((153 * month + 2) / 5) + 1
  if day >= anchor then month = month + 1 end
  local year = era * 400 + yoe
  if month > 11 then month, year = month - 12, year + 1 end
  local start = floor((153 * month + 2) / 5) + anchor - 1
  local in_era = year - floor(year / 400) * 400
  return (floor(year / 400) * 146097 + in_era * 365 + floor(in_era / 4) - floor(in_era / 100) + start - 719468) * 86400000
end

-- A new period begins by being in it; there is no reset job.
local function turn_period(a, now)
  if now >= a.period_end then a.used, a.period_end = 0, period_end(a.anchor, now) end
end
