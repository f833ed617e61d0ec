-- What `account.lua` leaves to those who need it: the fields that only some read, writing all of them, periods.
local function is_revoked(held) return held == '1' or string.byte(held) == 114 end

-- Reads what only some need: the anchor of the period, the head's interval, the control version.
local function detail(a)
  if not a or a.version then return a end
  local d = redis.call('HGET', a.key, 'd')
  local anchor, granted, expires, version, row = string.match(d or '', '^(%d+) (%d+) (%d+) (%d+) (%d+)$')
  if not anchor then a.odd = a.odd or 'd' end
  a.frozen = a.frozen or a.odd
  a.anchor, a.version, a.row = tonumber(anchor), tonumber(version), tonumber(row)
  a.head.granted, a.head.expires = tonumber(granted), tonumber(expires)
  return a
end

local function save_account(a)
  local h = a.head
  redis.call('HSET', a.key, 'm', money(a),
    'c', pack(STANDING, a.status, a.limit, h.id, a.tail, a.next_change, a.period_end),
    'd', string.format('%d %d %d %d %d', a.anchor, h.granted, h.expires, a.version, a.row))
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
  if now >= a.period_end then a.used, a.period_end = 0, period_end(detail(a).anchor, now) end
end
