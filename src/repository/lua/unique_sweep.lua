-- Removes a reservation whose document lacks the value.
-- Section `sweep`: number of the constraint, key of the reservation, `dry` or nothing.
-- Reply: 1 when it is stale.
local reserved, unique = word('sweep', 2), uniques[tonumber(word('sweep', 1))]
if owner(reserved) ~= key or reservation(unique, members(key)) == reserved then return 0 end
if word('sweep', 3) ~= 'dry' then call('DEL', reserved) end
return 1
