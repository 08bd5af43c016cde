-- What a key holds, of whatever type: nothing where it is not there.
local function dump(key)
  local bytes = redis.call('DUMP', key)
  return bytes and redis.sha1hex(bytes) or ''
end
