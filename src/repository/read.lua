#!lua flags=no-writes,allow-oom
-- A document with the fingerprint of its content, by which a later write tells a change.
-- KEYS: 1 document.  ARGV: 1 storage
local key = KEYS[1]
local kind = redis.call('TYPE', key).ok
if kind == 'none' then return false end
if kind ~= (ARGV[1] == 'hash' and 'hash' or 'ReJSON-RL') then
  return redis.error_reply('ALZTYPE ' .. kind)
end
if ARGV[1] == 'json' then
  local text = redis.call('JSON.GET', key)
  return { redis.sha1hex(text), text }
end
local flat = redis.call('HGETALL', key)
local pairs_ = {}
for i = 1, #flat, 2 do
  pairs_[#pairs_ + 1] = #flat[i] .. ':' .. flat[i] .. #flat[i + 1] .. ':' .. flat[i + 1]
end
table.sort(pairs_)
return { redis.sha1hex(table.concat(pairs_)), flat }
