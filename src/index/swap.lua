#!lua
-- Lets an alias name another index, and notes it, in one step; while the lease is held.
-- KEYS: 1 journal  2 lock.  ARGV: 1 token  2 alias  3 index  4 the one it named before, or ''
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return redis.error_reply('ALZLOCKLOST') end
local alias, index, previous = ARGV[2], ARGV[3], ARGV[4]
-- An index by the alias's own name hides the alias: it goes, and takes no document along.
local plain, there = false, false
for _, name in ipairs(redis.call('FT._LIST')) do
  -- Simple strings are tables here.
  if type(name) == 'table' then name = name.ok end
  if name == alias then plain = true end
  if name == index then there = true end
end
if not there then return redis.error_reply('ALZNOTFOUND') end
local refused
local function need(command, ...)
  if not redis.acl_check_cmd(command, ...) then refused = command end
end
need('FT.ALIASUPDATE', alias, index)
need('HSET', KEYS[1], 'f', 'v')
need('HDEL', KEYS[1], 'f')
if plain then need('FT.DROPINDEX', alias) end
if refused then return redis.error_reply('ALZDENIED ' .. refused) end
if plain then
  redis.call('FT.DROPINDEX', alias)
  if previous == alias then previous = '' end
end
redis.call('FT.ALIASUPDATE', alias, index)
redis.call('HSET', KEYS[1], 'live', index)
redis.call('HDEL', KEYS[1], 'building')
if previous == '' then
  redis.call('HDEL', KEYS[1], 'previous')
else
  redis.call('HSET', KEYS[1], 'previous', previous)
end
return 1
