-- The least versions of an account's sessions that are still good: a hash of digest of the subject, or '*' for everybody → version.
-- Raises one, and forgets those of persons that everybody's makes needless. Never lowers any.
local function end_sessions(key, whose, least)
  local versions = redis.call('HMGET', key, '*', whose)
  if least <= math.max(tonumber(versions[1] or '0'), tonumber(versions[2] or '0')) then return end
  redis.call('HSET', key, whose, text(least))
  if whose ~= '*' then return end
  local all, needless = redis.call('HGETALL', key), {}
  for i = 1, #all, 2 do
    if all[i] ~= '*' and tonumber(all[i + 1]) <= least then needless[#needless + 1] = all[i] end
  end
  for i = 1, #needless, 1000 do redis.call('HDEL', key, unpack(needless, i, math.min(i + 999, #needless))) end
end
