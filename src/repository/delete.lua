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
-- A script is not rolled back: what the user may not do is found before the first write.
if not redis.acl_check_cmd('DEL', key) then return redis.error_reply('ALZDENIED DEL') end
if ARGV[4] ~= '' and not redis.acl_check_cmd('PUBLISH', ARGV[4], ARGV[5]) then
  return redis.error_reply('ALZDENIED PUBLISH ' .. ARGV[4])
end
local deleted = redis.call('DEL', key)
if ARGV[4] ~= '' then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
return deleted
