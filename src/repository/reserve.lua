#!lua
-- Reserves a value for a document, where the document lies in another slot.
-- KEYS: 1 reservation.
-- ARGV: 1 document  2 token  3 keep|take: whether a reservation for the same document stays as it is
--       4 the reservation of another document that may be replaced, or nothing
-- Reply: the reservation made or kept; or the one of another document, and its age (milliseconds).
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = redis.call('GET', KEYS[1])
if found then
  local at, document = found:match('^[^:]*:(%d+):(.*)$')
  if document == ARGV[1] then
    if ARGV[3] == 'keep' then return { found } end
  elseif found ~= ARGV[4] then
    return { found, string.format('%.0f', now - tonumber(at or '0')) }
  end
end
local made = ARGV[2] .. ':' .. string.format('%.0f', now) .. ':' .. ARGV[1]
redis.call('SET', KEYS[1], made)
return { made }
