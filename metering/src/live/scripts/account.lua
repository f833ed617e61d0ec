-- The account hash: m = seq, used, head_left (written by each debit) · c = status, limit, head_lot, tail_left, next_change, period_end
-- (read by each debit), both packed · d = anchor head_granted head_expires version row · z = frozen by epoch · u = undos pending · x<key> = what a
-- key is held to: '1' revoked, else its caps (caps.lua), behind an 'r' if it is revoked, too · w<key> = what it has drawn (caps.lua).
-- Head and tail are true until next_change: the head's expiry or the first instant of a lot to come.
local STANDING = '>c1I7I7I7I7I7'

-- Also answers what the key of this id is held to ('' = no key). What `d` holds is read by `detail` (detail.lua).
-- A field that is not as `save_account` writes it makes the account `odd`, by that field's name: it is as good as frozen, so that it is
-- refused alone and not with everybody whose debits came along, until it is installed anew.
local function load_account(key, api_key)
  api_key = api_key or ''
  local f = redis.call('HMGET', key, 'm', 'c', 'z', 'u', 'x' .. api_key)
  local m, c, odd = f[1], f[2] or '', nil
  if not m then return nil end
  local seq, used, left, status, limit, id, tail, next_change, period_end
  if #m == 21 then seq, used, left = unpacked(THREE, m) end
  if #c == 36 then status, limit, id, tail, next_change, period_end = unpacked(STANDING, c) end
  local letter = status and string.byte(status) or 0 -- texts are compared as the machine's language has it
  if letter < 97 or letter > 122 or limit > NEVER or id > NEVER or tail > NEVER or next_change > NEVER or period_end > NEVER then odd = 'c' end
  if not seq or seq > NEVER or used > NEVER or left > NEVER then odd, seq = 'm', nil end
  -- What a debit adds has room, two fields in sixteen: for one more, Lua would make the table anew.
  local a = { key = key, status = status, limit = limit, seq = seq, used = used, tail = tail, head = { id = id, left = left },
    next_change = next_change, period_end = period_end, frozen = f[3] or odd, undos = f[4] and tonumber(f[4]) or 0, held = { [api_key] = f[5] } }
  if odd then a.odd = odd end
  return a
end

local function money(a)
  return pack(THREE, a.seq, a.used, a.head.left)
end
