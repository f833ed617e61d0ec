-- What the gateway does with a request, as a team would write it for nginx: the key (remembered by all workers), one draw in Redis, what the
-- upstream may trust, what the answer says, and what is counted. A connection to Redis is kept for each request that waits.
local redis = require 'nginx.redis'
local keys, counts = ngx.shared.keys, ngx.shared.counts
local settings
local admit = {}

local KEY_SECONDS, UNKNOWN_SECONDS, WAIT_MS = 60, 10, 250
local UNKNOWN = ''

function admit.configure(given) settings = given end

local function refuse(status, code, detail)
  ngx.status = status
  ngx.header['Content-Type'] = 'application/problem+json'
  ngx.ctx.code = code
  local body = '{"type":"about:blank","status":' .. status .. ',"code":"' .. code .. '","detail":"' .. detail
    .. '","request_id":"' .. ngx.var.request_id .. '"}'
  ngx.header['Content-Length'] = #body
  ngx.print(body)
  return ngx.exit(status)
end

local function unavailable() return refuse(503, 'meter_unavailable', 'Nothing can be drawn at the moment; try again.') end

-- A connection that was kept, or a new one that has signed in.
local function connect()
  local connection = redis:new()
  connection:set_timeouts(WAIT_MS, WAIT_MS, WAIT_MS)
  if not connection:connect('127.0.0.1', settings.port) then return nil end
  if connection:get_reused_times() == 0 and not connection:auth(settings.user, settings.password) then return nil end
  return connection
end

-- The account and the id of a key, from the dictionary that all workers share, else from Redis.
local function find(key)
  local known = keys:get(key)
  if not known then
    local connection = connect()
    if not connection then return nil end
    local answer, err = connection:get('key:' .. key)
    if err then return nil end
    connection:set_keepalive(60000, 256)
    known = answer ~= ngx.null and answer or UNKNOWN
    keys:set(key, known, known == UNKNOWN and UNKNOWN_SECONDS or KEY_SECONDS)
  end
  if known == UNKNOWN then return UNKNOWN end
  return string.match(known, '^(%S+) (%S+)$')
end

local REFUSED = {
  absent = { 503, 'meter_unavailable', 'The account is not known here yet.' },
  status = { 403, 'account_suspended', 'The account may not spend.' },
  key_revoked = { 401, 'invalid_api_key', 'The key was revoked.' },
  budget = { 402, 'budget_exhausted', 'The budget of this month is spent.' },
  credits = { 402, 'credits_exhausted', 'No credits are left.' },
}

function admit.request()
  local key = string.match(ngx.var.http_authorization or '', '^Bearer (%S+)$')
  if not key then return refuse(401, 'invalid_api_key', 'A key is needed.') end
  local account, id = find(key)
  if not account then return unavailable() end
  if account == UNKNOWN then return refuse(401, 'invalid_api_key', 'The key is not known.') end
  local connection = connect()
  if not connection then return unavailable() end
  local answer = connection:evalsha(settings.script, 3, 'a:' .. account, 'l:' .. account, 'events', id, settings.price, ngx.var.request_id,
    'v1.messages', account)
  if not answer then return unavailable() end
  connection:set_keepalive(60000, 256)
  local refused = REFUSED[answer[1]]
  if refused then return refuse(refused[1], refused[2], refused[3]) end
  ngx.req.set_header('Tollgate-Account', account)
  ngx.ctx.drawn = answer
end

function admit.answer()
  local drawn = ngx.ctx.drawn
  if not drawn then return end
  ngx.header['Credits-Remaining'] = drawn[3]
  ngx.header['Credits-Cost'] = settings.price
  ngx.header['Credits-Receipt'] = ngx.var.request_id
end

-- Upper bounds of the histogram, seconds.
local BOUNDS = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10 }

function admit.count()
  local took = ngx.now() - ngx.req.start_time()
  local place = 1
  while BOUNDS[place] and took > BOUNDS[place] do place = place + 1 end
  counts:incr('requests ' .. ngx.status .. ' ' .. (ngx.ctx.code or ''), 1, 0)
  counts:incr('seconds ' .. place, 1, 0)
  counts:incr('seconds sum', took, 0)
  if ngx.ctx.drawn then counts:incr('credits', settings.price, 0) end
end

return admit
