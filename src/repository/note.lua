#!lua
-- Notes something in the journal of an index or of migrations, while the lease is held.
-- KEYS: 1 journal  2 lock.  ARGV: 1 token  2 number of names and values that follow; then names to remove
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return redis.error_reply('ALZLOCKLOST') end
local last = 2 + tonumber(ARGV[2])
if not redis.acl_check_cmd('HSET', KEYS[1], 'f', 'v') then return redis.error_reply('ALZDENIED HSET') end
if not redis.acl_check_cmd('HDEL', KEYS[1], 'f') then return redis.error_reply('ALZDENIED HDEL') end
for i = 3, last, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
for i = last + 1, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
return 1
