-- Marks of requests with an Idempotency-Key: `op fingerprint at_ms in_use_until_ms`, good for a day from `at_ms`. Money rests on them,
-- so they have no TTL: the owner lets go of old ones.
local MARK_MS = 86400000

-- How a request stands to the one that has left this mark: 'in_use' | 'used' | 'mismatch' and that one's op; nil if it may draw.
local function repeats(mark, fingerprint, now)
  if not mark then return nil end
  local op, first, at, in_use_until = string.match(mark, '^(%x+) (%x+) (%d+) (%d+)$')
  if now - tonumber(at) >= MARK_MS then return nil end
  local how = first ~= fingerprint and 'mismatch' or now < tonumber(in_use_until) and 'in_use' or 'used'
  return how .. ' ' .. op
end

-- The key may be used again: the debit of this op was given back, or is to be.
local function free_mark(key, op)
  local mark = key and redis.call('GET', key)
  if mark and string.sub(mark, 1, #op) == op then redis.call('DEL', key) end
end
