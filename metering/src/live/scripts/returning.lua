-- Puts drawn credits back into the lots they came from. A lot that is past its expiry, or swept, takes none: they lapse.
-- Answers the splits that returned and lapsed, as text, and the sum returned; changes only memory.
local function put_back(lots, split, now)
  local by_id, returned, lapsed, sum = {}, {}, {}, 0
  for _, lot in ipairs(lots) do by_id[lot.id] = lot end
  for id, credits in string.gmatch(split, '(%d+):(%d+)') do
    local lot, back = by_id[tonumber(id)], tonumber(credits)
    if lot and now < lot.expires then
      lot.left, sum = lot.left + back, sum + back
      returned[#returned + 1] = id .. ':' .. credits
    else
      lapsed[#lapsed + 1] = id .. ':' .. credits
    end
  end
  return table.concat(returned, ','), table.concat(lapsed, ','), sum
end

-- Lowers `used` by a debit of the period that ends at `period`, unless that is not the period counted.
local function lower_used(a, credits, period)
  if a.period_end == period then a.used = math.max(a.used - credits, 0) end
end
