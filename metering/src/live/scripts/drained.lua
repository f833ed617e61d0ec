-- Notes how far the book is, and lets go of events that have been there long enough.
-- KEYS: 1 meta, 2 events, then closed marks of events that are let go, then idempotency marks that may be a day old.
-- ARGV: 1 sequence drained, 2 credits drained by debits and confirmations since the last note, 3 first sequence to keep, 4 how many closed marks.
-- Rule: nothing at or after the drained sequence is ever let go: the last drained event stays, for the next certification.
--   Trims before it writes: Redis refuses a first write for lack of memory, and what is let go here is what makes room.
-- Returns: {now_ms, 'noted', sequence of the last event, credits that are still exposed}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'owner')
if not shard then return uncertified() end
local drained, keep = whole(ARGV[1]), whole(ARGV[3])
local closed = whole(ARGV[4])
assert(#KEYS >= 2 + closed and #ARGV == 4 and keep <= drained and drained <= shard.sequence, 'drained takes what was drained')
shard.exposed = math.max(shard.exposed - whole(ARGV[2]), 0)
redis.call('XTRIM', KEYS[2], 'MINID', INCARNATION .. '-' .. text(keep))
local events, credits, age = string.match(redis.call('HGET', KEYS[1], 'caps'), '^(%d+) (%d+) (%d+)$')
local last_sequence, until_ms = math.min(drained + tonumber(events), NEVER), math.min(shard.now + tonumber(age), NEVER)
redis.call('HSET', KEYS[1], 'bounds', pack(THREE, last_sequence, until_ms, whole(credits)))
for i = 3, 2 + closed do redis.call('UNLINK', KEYS[i]) end
for i = 3 + closed, #KEYS do
  local mark = redis.call('GET', KEYS[i])
  if mark and not repeats(mark, '', shard.now) then redis.call('UNLINK', KEYS[i]) end -- one that another request left since stays
end
leave(shard)
return { text(shard.now), 'noted', text(shard.sequence), text(shard.exposed) }
