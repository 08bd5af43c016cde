#!lua
-- Takes a lock, and gives its fence: a number above that of every earlier holder.
-- KEYS: 1 lock  2 fence.  ARGV: 1 token  2 lease  3 for how long the fence is remembered (milliseconds)
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
-- The clock, in microseconds, lets it grow also when the last one was forgotten.
local now = redis.call('TIME')
local fence = string.format('%.0f', math.max(last + 1, now[1] * 1000000 + now[2]))
redis.call('SET', KEYS[2], fence, 'PX', ARGV[3])
return fence
