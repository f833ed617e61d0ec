-- Confirms debits whose requests are over, and moves the deadlines of those whose requests go on.
-- KEYS: 1 meta, 2 events, then the closed mark of each item's debit.
-- ARGV: 4 an item: op of the debit, account, its credits (0: it goes on), and how the request ended (outcome.rs) or until when it is held (ms).
-- Rule: of confirming, giving back, settling and undoing a debit the first wins. Moves no credits and counts no event of the account, so it
--   reads no account: also while that is frozen, or not installed yet, and whatever incarnation drew. The book decides what it is good for.
--   What is confirmed is exposed until it is in the book: lost with the tail, the debit is given back at its deadline.
-- Returns: {now_ms, 'confirmed' | 'extended' | 'closed' of each item, between blanks}.
-- Errors: UNCERTIFIED, nothing written.
local shard = enter(KEYS[1], 'open')
if not shard then return uncertified() end
local items, now, before_all = #KEYS - 2, text(shard.now), shard.sequence
assert(items > 0 and #ARGV == 4 * items, 'an item is 1 key and 4 arguments')
for i = 1, items do
  local credits, words = whole(ARGV[4 * i - 1]), ARGV[4 * i]
  if credits == 0 then whole(words) else assert(string.find(words, '^%d+ %d+ %d+ [%l_]+$'), 'this is no outcome') end
end
local answers, confirmed, marks = {}, {}, {}
for i = 1, items do
  local closed, op, account, credits, words = KEYS[i + 2], ARGV[4 * i - 3], ARGV[4 * i - 2], ARGV[4 * i - 1], ARGV[4 * i]
  if confirmed[closed] or redis.call('EXISTS', closed) == 1 then
    answers[i] = 'closed'
  elseif credits == '0' then
    append(shard, KEYS[2], 'k', 'extend', 'a', account, 't', now, 'op', op, 'h', words)
    answers[i] = 'extended'
  else
    append(shard, KEYS[2], 'k', 'confirm', 'a', account, 't', now, 'op', op, 'c', credits, 'o', words)
    shard.exposed = math.min(shard.exposed + tonumber(credits), NEVER)
    confirmed[closed], marks[#marks + 1] = true, closed
    answers[i] = 'confirmed'
  end
end
for _, closed in ipairs(marks) do redis.call('SET', closed, 'confirm') end
if shard.sequence > before_all then leave(shard) end
return { now, table.concat(answers, ' ') }
