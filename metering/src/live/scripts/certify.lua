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
local at, sequence = string.format('%d', now), ARGV[5]
if ARGV[4] == 'new' then
  assert(redis.call('EXISTS', KEYS[2], KEYS[3]) == 0, 'an incarnation number was used before')
  if ARGV[10] == 'events' then redis.call('XADD', KEYS[3], ARGV[2] .. '-0', 'v', '1', 'k', 'opened', 't', at) end
  redis.call('HSET', KEYS[2], 'live', sequence .. ' ' .. at .. ' 0')
else
  local live, highest = string.match(redis.call('HGET', KEYS[2], 'live'), '^(%d+) (%d+) %d+$')
  assert(ARGV[10] ~= 'events' or live == ARGV[5], 'an incarnation goes on from where its stream ends')
  redis.call('HDEL', KEYS[2], 'open') -- first, as in seal: going on needs no memory
  at = string.format('%d', math.max(now, tonumber(highest)))
  redis.call('HSET', KEYS[2], 'live', live .. ' ' .. at .. ' 0')
end
local function bound(from, most) return string.format('%d', math.min(tonumber(from) + tonumber(most), 9007199254740991)) end
redis.call('HSET', KEYS[2], 'owner', ARGV[3], 'caps', ARGV[7] .. ' ' .. ARGV[8] .. ' ' .. ARGV[9],
  'bounds', bound(ARGV[5], ARGV[7]) .. ' ' .. bound(at, ARGV[9]) .. ' ' .. ARGV[8])
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'incarnation', ARGV[2], 'certification', ARGV[3], 'fsync', ARGV[11], 'process', ARGV[12])
return { 'certified', at }
