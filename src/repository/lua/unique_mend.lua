-- Reserves what a document holds.
-- Reply: how many reservations were missing; with section `dry` nothing is written.
local taken = reserve('values')
if taken then return redis.error_reply(taken) end
if refused then return redis.error_reply('ALZDENIED ' .. refused) end
if not first.dry then settle() end
return #claimed
