-- A document that a transaction has read, or whose lock it holds: nothing is written.
-- Sections: storage, version, if_version, if_content, lock as for a write;
--   absent   says that there was none
if first.absent and there or (first.if_version or first.if_content) and not there then
  return redis.error_reply('ALZCONFLICT')
end
local fingerprint = word('if_content')
if fingerprint and redis.sha1hex(content()) ~= fingerprint then
  return redis.error_reply('ALZCONFLICT')
end
local lock, token = word('lock', 1), word('lock', 2)
if lock and call('GET', KEYS[tonumber(lock)]) ~= token then
  return redis.error_reply('ALZLOCKLOST')
end
return 1
