-- Paying a price that the head lot alone can't pay. `take` changes only memory; `store_reached` writes.
-- Which lots pay `price` when the head alone can't: the lots in burn order with what they hold together, and whether all were read.
local function survey(at, a, price, now)
  if now >= a.next_change then
    local all = all_lots(at, a)
    local lots, total = eligible(all, now)
    return lots, total, all
  end
  local lots, held, from = { detail(a).head }, a.head.left, 0
  while held <= price do
    local page = page_of_lots(at, now, from)
    if #page == 0 then break end
    for _, lot in ipairs(page) do lots[#lots + 1], held = lot, held + lot.left end
    from = from + #page
  end
  return lots, a.head.left + a.tail, nil
end

-- Takes the price out of the lots in memory; answers the split and how many lots it reached.
local function take(lots, price)
  local split, reached = {}, 0
  while price > 0 do
    reached = reached + 1
    local lot = lots[reached]
    local part = math.min(lot.left, price)
    if part > 0 then split[#split + 1] = string.format('%d:%d', lot.id, part) end
    lot.left, price = lot.left - part, price - part
  end
  return table.concat(split, ','), reached
end

-- Stores what `take` left when only some lots were read: emptied ones aside, the next one with credits becomes the head.
local function store_reached(at, a, lots, reached, total)
  if lots[reached].left == 0 then reached = reached + 1 end
  for i = 1, math.min(reached, #lots) do
    local lot = lots[i]
    if i > 1 then
      assert(redis.call('ZREM', at.lots, lot.member) == 1, 'a lot is not where it was read')
    end
    if lot.left == 0 and lot.id > 0 then redis.call('HSET', at.emptied, text(lot.id), string.format('%d %d', lot.granted, lot.expires)) end
  end
  local coming = redis.call('ZRANGE', at.future, '0', '0', 'WITHSCORES')
  a.head = lots[reached] or NO_HEAD
  a.tail = total - a.head.left
  a.next_change = math.min(lots[reached] and a.head.expires or NEVER, tonumber(coming[2] or NEVER))
end
