-- The account hash, packed: m = seq used head_left (written by each debit) · c = status limit head_lot tail_left next_change period_end
-- (read by each debit) · d = anchor head_granted head_expires version row · z = frozen by epoch · u = undos pending · x<key> = what a key is
-- held to: '1' revoked, else its caps (caps.lua), behind an 'r' if it is revoked, too · w<key> = what it has drawn (caps.lua).
-- Head and tail are true until next_change: the head's expiry or the first instant of a lot to come.

-- Also answers what the key of this id is held to ('' = no key). What `d` holds is read by `detail`.
-- A field that is not as `save_account` writes it makes the account `odd`, by that field's name: it is as good as frozen, so that it is
-- refused alone and not with everybody whose debits came along, until it is installed anew.
local function load_account(key, api_key)
  api_key = api_key or ''
  local f = redis.call('HMGET', key, 'm', 'c', 'z', 'u', 'x' .. api_key)
  if not f[1] then return nil end
  local seq, used, left = string.match(f[1], '^(%d+) (%d+) (%d+)$')
  local status, limit, id, tail, next_change, period_end = string.match(f[2] or '', '^(%l) (%d+) (%d+) (%d+) (%d+) (%d+)$')
  local odd = not seq and 'm' or not status and 'c' or nil
  return { key = key, status = status, limit = tonumber(limit), seq = tonumber(seq), used = tonumber(used), tail = tonumber(tail),
    head = { id = tonumber(id), left = tonumber(left) }, next_change = tonumber(next_change), period_end = tonumber(period_end),
    frozen = f[3] or odd, odd = odd, undos = tonumber(f[4] or '0'), held = { [api_key] = f[5] } }
end

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

local function money(a)
  return string.format('%d %d %d', a.seq, a.used, a.head.left)
end

local function save_account(a)
  local h = a.head
  redis.call('HSET', a.key, 'm', money(a),
    'c', string.format('%s %d %d %d %d %d', a.status, a.limit, h.id, a.tail, a.next_change, a.period_end),
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
