-- What a document's unique fields hold, for a write whose reservations lie in other slots.
-- KEYS: 2 the document's claims.
-- Reply: what the claims' key holds, the time (milliseconds), the digest of the fields, whether the
-- document is there, then each field's value.
local values = members(key)
local reply = { call('GET', KEYS[2]) or '', string.format('%.0f', now()), seen(values), there and '1' or '0' }
for _, value in ipairs(values) do reply[#reply + 1] = value end
return reply
