-- The account hash, packed: m = seq used head_left (written by each debit) · c = status limit head_lot tail_left next_change period_end
-- (read by each debit) · d = anchor head_granted head_expires version row · z = frozen by epoch · u = undos pending · x<key> = what a key is
-- held to: '1' revoked, else its caps (caps.lua), behind an 'r' if it is revoked, too · w<key> = what it has drawn (caps.lua).
-- Head and tail are true until next_change: the head's expiry or the first instant of a lot to come.

-- Also answers what the key of this id is held to ('' = no key). What `d` holds is read by `detail` (detail.lua).
-- A field that is not as `save_account` writes it makes the account `odd`, by that field's name: it is as good as frozen, so that it is
-- refused alone and not with everybody whose debits came along, until it is installed anew.
local function load_account(key, api_key)
  api_key = api_key or ''
  local f = redis.call('HMGET', key, 'm', 'c', 'z', 'u', 'x' .. api_key)
  if not f[1] then return nil end
  local seq, used, left = string.match(f[1], '^(%d+) (%d+) (%d+)$')
  local status, limit, id, tail, next_change, period_end = string.match(f[2] or '', '^(%l) (%d+) (%d+) (%d+) (%d+) (%d+)$')
  local odd = not seq and 'm' or not status and 'c' or nil
  -- What a debit adds has room, two fields in sixteen: for one more, Lua would make the table anew.
  local a = { key = key, status = status, limit = tonumber(limit), limit_text = limit, seq = tonumber(seq), used = tonumber(used),
    tail = tonumber(tail), head = { id = tonumber(id), left = tonumber(left) }, next_change = tonumber(next_change),
    period_end = tonumber(period_end), frozen = f[3] or odd, undos = f[4] and tonumber(f[4]) or 0, held = { [api_key] = f[5] } }
  if odd then a.odd = odd end
  return a
end

local function money(a)
  return string.format('%d %d %d', a.seq, a.used, a.head.left)
end
