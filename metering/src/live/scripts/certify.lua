-- Gives a shard its certification: from here on the owner's scripts run; gateways' once it is open.
-- KEYS: 1 head, 2 meta, 3 events.
-- ARGV: 1 epoch, 2 incarnation, 3 certification, 4 mode ('new': an incarnation that begins; 'same': one that goes on), 5 sequence drained,
--   6 highest time known, 7 cap of events, 8 cap of credits, 9 cap of age_ms, 10 'events' where the shard has a stream,
--   11 what Redis' appendfsync is, or '' where it does not say, 12 the run_id of this process.
-- Rule: 'same' only when everything in the stream was drained, so nothing is exposed. An incarnation begins with the event `opened` at
--   sequence 0 and no key of it may be there before. Gateways stay out until it is opened.
-- Returns: {'certified', now_ms} or {'newer', epoch} when another owner came later.
local head = redis.call('HMGET', KEYS[1], 'epoch')
if tonumber(head[1] or '0') > tonumber(ARGV[1]) then return { 'newer', head[1] } end
local time = redis.call('TIME')
local now = math.max(tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000), tonumber(ARGV[6]))
local sequence, three = tonumber(ARGV[5]), '>I7I7I7' -- as prelude.lua reads them
if ARGV[4] == 'new' then
  assert(redis.call('EXISTS', KEYS[2], KEYS[3]) == 0, 'an incarnation number was used before')
  if ARGV[10] == 'events' then redis.call('XADD', KEYS[3], ARGV[2] .. '-0', 'v', '1', 'k', 'opened', 't', string.format('%d', now)) end
else
  local live, highest = struct.unpack(three, redis.call('HGET', KEYS[2], 'live'))
  assert(math.max(live, highest) <= 9007199254740991, 'what is live is not as it is written')
  assert(ARGV[10] ~= 'events' or live == sequence, 'an incarnation goes on from where its stream ends')
  redis.call('HDEL', KEYS[2], 'open') -- first, as in seal: going on needs no memory
  sequence, now = live, math.max(now, highest)
end
redis.call('HSET', KEYS[2], 'live', struct.pack(three, sequence, now, 0))
local function bound(from, most) return math.min(from + tonumber(most), 9007199254740991) end
redis.call('HSET', KEYS[2], 'owner', ARGV[3], 'caps', ARGV[7] .. ' ' .. ARGV[8] .. ' ' .. ARGV[9],
  'bounds', struct.pack(three, bound(tonumber(ARGV[5]), ARGV[7]), bound(now, ARGV[9]), tonumber(ARGV[8])))
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'incarnation', ARGV[2], 'certification', ARGV[3], 'fsync', ARGV[11], 'process', ARGV[12])
return { 'certified', string.format('%d', now) }
