-- Opens every script: the fence, the clock, numbers. Of process @process@: the owner writes the run_id of the Redis process into the text, so each
-- process has scripts of its own, and a restarted or promoted one has none until an owner has looked at it.
-- Behind the ARGV that a script names stand two more, the numbers under which the caller knows the shard: certification, incarnation.
local named = #ARGV - 2
local CERTIFICATION, INCARNATION = ARGV[named + 1], ARGV[named + 2]
ARGV[named + 1], ARGV[named + 2] = nil, nil
local NEVER = 9007199254740991
-- What each debit reads and writes is packed in seven bytes a number, which hold up to NEVER: as text it costs a debit a quarter more.
local pack, unpacked, THREE = struct.pack, struct.unpack, '>I7I7I7'

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

local function uncertified()
  return redis.error_reply('UNCERTIFIED this shard is not certified with number ' .. CERTIFICATION)
end

-- Time is Redis TIME, never behind the highest time this shard has seen: one clock a shard, and it never goes back.
-- The shard, if `door` ('open' for gateways, 'owner' for its owner) holds the caller's certification; else nil. Its hash, packed: live = sequence, highest
-- time, credits exposed · bounds = last sequence, until_ms, credits that debits may go up to.
local function enter(key, door)
  local meta = redis.call('HMGET', key, door, 'live', 'bounds')
  if meta[1] ~= CERTIFICATION then return nil end
  local sequence, highest, exposed = unpacked(THREE, meta[2])
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  if now < highest then now = highest end
  return { key = key, sequence = sequence, now = now, exposed = exposed, bounds = meta[3] }
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
  redis.call('HSET', shard.key, 'live', pack(THREE, shard.sequence, shard.now, shard.exposed))
end
