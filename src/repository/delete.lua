#!lua flags=allow-oom
-- One document deleted: checked, announced and done in one step.
-- KEYS: 1 document
-- ARGV: 1 storage  2 expected '' | v:N  3 version: hash field, JSON path, or ''  4 channel or ''  5 event
local key, storage = KEYS[1], ARGV[1]
local kind = redis.call('TYPE', key).ok
if kind == 'none' then return 0 end
if kind ~= (storage == 'hash' and 'hash' or 'ReJSON-RL') then
  return redis.error_reply('ALZTYPE ' .. kind)
end
if ARGV[2] ~= '' then
  local stored = ''
  if storage == 'hash' then
    stored = redis.call('HGET', key, ARGV[3]) or ''
  else
    stored = (redis.call('JSON.GET', key, ARGV[3]) or '[]'):match('%d+') or ''
  end
  if 'v:' .. stored ~= ARGV[2] then return redis.error_reply('ALZCONFLICT ' .. stored) end
end
if ARGV[4] ~= '' then
  local told = redis.pcall('PUBLISH', ARGV[4], ARGV[5])
  if type(told) == 'table' and told.err then return told end
end
return redis.call('DEL', key)
