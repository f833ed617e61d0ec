-- Opens every script: the fence, the clock, numbers. The owner writes the two numbers into the text when it certifies a shard,
-- so each certification has scripts of its own, and a restarted Redis has none of them.
local CERTIFICATION, INCARNATION = '@certification@', '@incarnation@'
local NEVER = 9007199254740991

local function whole(text)
  local number = type(text) == 'string' and #text <= 16 and string.find(text, '^%d+$') and tonumber(text)
  if not number or number > NEVER then error('not a whole number up to 2^53 - 1: ' .. tostring(text)) end
  return number
end

-- Numbers are written by %d, exact to 2^53 (tostring turns 10^14 into 1e+14).
local function text(number)
  assert(number >= 0 and number <= NEVER, 'a number left 0 to 2^53 - 1')
  return string.format('%d', number)
end

-- Time is Redis TIME, never behind the highest time this shard has seen: one clock a shard, and it never goes back.
local function clock(highest)
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  if highest > now then return highest end
  return now
end

local function uncertified()
  return redis.error_reply('UNCERTIFIED this shard is not certified with number ' .. CERTIFICATION)
end

-- The shard, if `door` ('open' for gateways, 'owner' for its owner) holds this script's certification; else nil.
local function enter(key, door)
  local meta = redis.call('HMGET', key, door, 'live', 'bounds')
  if meta[1] ~= CERTIFICATION then return nil end
  local sequence, highest, exposed = string.match(meta[2], '^(%d+) (%d+) (%d+)$')
  return { key = key, sequence = tonumber(sequence), now = clock(tonumber(highest)), exposed = tonumber(exposed), bounds = meta[3] }
end

-- Appends an event, always before any other write, so that an event without its effect can't be, nor an effect without its event.
-- Its id is the next in sequence: should the stream be elsewhere, Redis refuses it and nothing was written.
local function append(shard, events, ...)
  local id = string.format('%s-%d', INCARNATION, shard.sequence + 1)
  redis.call('XADD', events, id, 'v', '1', ...)
  shard.sequence = shard.sequence + 1
  return id
end

local function leave(shard)
  redis.call('HSET', shard.key, 'live', string.format('%d %d %d', shard.sequence, shard.now, shard.exposed))
end
