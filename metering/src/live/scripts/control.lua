-- Applies one change that the book decided on: an outbox row.
-- KEYS: 1 meta, 2 events, 3 account, 4 lots, 5 future, 6 emptied, 7 closed mark (of an undo) or versions of sessions (whose end; else any
--   absent key of the shard).
-- ARGV: 1 account, 2 row, 3 version, 4 kind, then what the kind needs (below, in order).
-- Rule: version v + 1 only on v. A version that is there already is answered 'already' if the same row made it; any other is a gap,
--   and the owner installs the account anew. Reductions take what is there; the event says how much and the book follows it.
-- Returns: {now_ms, 'applied' | 'already' | 'gap' | 'install' | 'early' | 'frozen'}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'owner')
if not shard then return uncertified() end
local now, at = shard.now, { lots = KEYS[4], future = KEYS[5], emptied = KEYS[6] }
local row, version, kind = whole(ARGV[2]), whole(ARGV[3]), ARGV[4]
assert(#KEYS == 7, 'control takes 7 keys')
local a, lots = detail(load_account(KEYS[3])), {}
local moved, revoked, undone = { returned = '', lapsed = '', taken = '' }, nil, false
local ended, channel

local function find(id)
  for _, lot in ipairs(lots) do if lot.id == id then return lot end end
end

local function take_from(lot, most)
  local taken = lot and math.min(lot.left, most) or 0
  if taken > 0 then
    lot.left = lot.left - taken
    moved.taken = text(lot.id) .. ':' .. text(taken)
  end
end

local apply = {}
function apply.account_created(status, anchor) a.status, a.anchor = status, whole(anchor) end
function apply.status_set(status, told) a.status, channel = status, told end
function apply.budget_set(limit) a.limit = whole(limit) end
function apply.lot_granted(id, credits, granted, expires)
  if find(whole(id)) then return end
  lots[#lots + 1] = { id = whole(id), left = whole(credits), granted = whole(granted), expires = whole(expires) }
  moved.returned = id .. ':' .. credits
end
-- An empty lot past its expiry is gone, whether `keep_lots` has come by since or not.
function apply.lot_expiry_moved(id, expires)
  local lot = find(whole(id))
  if lot and (lot.left > 0 or now < lot.expires) then lot.expires = whole(expires) end
end
function apply.lot_reduced(id, credits) take_from(find(whole(id)), whole(credits)) end
function apply.lot_expired(id)
  local lot = find(whole(id))
  if lot and now < lot.expires then return 'early' end
  take_from(lot, NEVER)
end
function apply.key_revoked(key) revoked = key end
-- What a key has drawn is in the book: the owner installs the account anew.
function apply.key_capped() return 'install' end
-- An operator doubts live state: the owner installs the account anew.
function apply.rebuild_asked() return 'install' end
function apply.sessions_ended(whose, least, told) ended, channel = { whose, whole(least) }, told end
function apply.undo_settled(split, period_end, credits, counted, key, debited_at)
  moved.returned, moved.lapsed = put_back(lots, split, now)
  lower_used(a, whole(credits), whole(period_end))
  uncount(a, key, whole(credits), whole(debited_at), whole(period_end))
  if counted == '1' then a.undos, undone = math.max(a.undos - 1, 0), true end
end

if a and a.frozen then return { text(now), 'frozen' } end
if a and version <= a.version then
  return { text(now), (version < a.version or row == a.row) and 'already' or 'gap' }
end
if version ~= (a and a.version or 0) + 1 or (kind == 'account_created') ~= (a == nil) then return { text(now), 'gap' } end
a = a or { key = KEYS[3], status = 'p', anchor = 1, limit = 0, seq = 0, used = 0, head = NO_HEAD, tail = 0, next_change = NEVER,
  period_end = 0, undos = 0, version = 0, row = 0 }
lots = all_lots(at, a)
local stop = apply[kind](unpack(ARGV, 5))
if stop then return { text(now), stop } end
assert_countable(lots)
a.seq, a.version, a.row = a.seq + 1, version, row
append(shard, KEYS[2], 'k', 'control', 'a', ARGV[1], 'q', text(a.seq), 't', text(now), 'w', ARGV[2], 'cv', ARGV[3], 'c', kind,
  's', moved.returned, 'l', moved.lapsed, 'x', moved.taken)
keep_lots(at, a, lots, now)
save_account(a)
save_counts(a)
if revoked then
  local held = redis.call('HGET', KEYS[3], 'x' .. revoked)
  if not held or not is_revoked(held) then redis.call('HSET', KEYS[3], 'x' .. revoked, held and 'r' .. held or '1') end
end
if ended then end_sessions(KEYS[7], ended[1], ended[2]) end
if channel then redis.call('PUBLISH', channel, ARGV[1]) end
if undone and redis.call('GET', KEYS[7]) == 'installed' then redis.call('DEL', KEYS[7]) end
leave(shard)
return { text(now), 'applied' }
