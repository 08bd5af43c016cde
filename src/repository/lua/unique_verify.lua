-- Whether a document has what a reservation is for. If not, and a new word for its claims is given,
-- no write of it that was prepared before takes place any more.
-- KEYS: 2 the document's claims.  Section `verify`: number of the constraint, key of the
-- reservation, the new word or nothing.
local unique = uniques[tonumber(word('verify', 1))]
if reservation(unique, members(key)) == word('verify', 2) then return 1 end
if word('verify', 3) ~= '' then call('SET', KEYS[2], word('verify', 3), 'PX', REMEMBERED) end
return 0
