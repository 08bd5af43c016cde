#!lua flags=allow-oom
-- Prolongs a lock, if it is still ours.
-- KEYS: 1 lock.  ARGV: 1 token  2 lease (milliseconds)
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('ALZLOCKLOST') end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
