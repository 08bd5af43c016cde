#!lua
-- One write of one document: checked, announced and done in one step.
-- KEYS: 1 document [2 lock]
-- ARGV: 1 storage hash|json   2 mode any|insert|replace   3 expected '' | v:N | f:SHA1
--       4 version: hash field, JSON path, or ''  5 lock token or ''   6 ttl keep|clear|milliseconds
--       7 channel or ''        8 event up to the version   9 event after the version
--       10 what: all|part      11 number of the names to remove that follow
--       then all: hash fields to remove, then field, value ... or the JSON text
--       or part: name, parent or '' ... to remove, then name, parent or '', value ...
--       (hash: dotted names, JSON: paths; the parent is the nested struct that the field is in)
-- The shebang lets the server refuse the script when memory is short, before it does anything.
local key, storage, version_field = KEYS[1], ARGV[1], ARGV[4]
local kind = redis.call('TYPE', key).ok
local there = kind ~= 'none'
if there and kind ~= (storage == 'hash' and 'hash' or 'ReJSON-RL') then
  return redis.error_reply('ALZTYPE ' .. kind)
end
if ARGV[2] == 'insert' and there then return redis.error_reply('ALZEXISTS') end
if ARGV[2] == 'replace' and not there then return redis.error_reply('ALZNOTFOUND') end
if ARGV[5] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[5] then
  return redis.error_reply('ALZLOCKLOST')
end

local stored = ''
if version_field ~= '' and there then
  if storage == 'hash' then
    stored = redis.call('HGET', key, version_field) or ''
  else
    stored = (redis.call('JSON.GET', key, version_field) or '[]'):match('%d+') or ''
  end
end

local function content()
  if storage == 'json' then return redis.call('JSON.GET', key) end
  local flat = redis.call('HGETALL', key)
  local pairs_ = {}
  for i = 1, #flat, 2 do
    pairs_[#pairs_ + 1] = #flat[i] .. ':' .. flat[i] .. #flat[i + 1] .. ':' .. flat[i + 1]
  end
  table.sort(pairs_)
  return table.concat(pairs_)
end

local how, wanted = ARGV[3]:sub(1, 2), ARGV[3]:sub(3)
if how == 'v:' then
  if not there then return redis.error_reply('ALZNOTFOUND') end
  if stored ~= wanted then return redis.error_reply('ALZCONFLICT ' .. stored) end
elseif how == 'f:' then
  if not there then return redis.error_reply('ALZNOTFOUND') end
  if redis.sha1hex(content()) ~= wanted then return redis.error_reply('ALZCONFLICT') end
end

-- Numbers in Lua are doubles: the next version is made digit by digit.
local function next_version(text)
  if not text:match('^%d+$') then return '1' end
  local digits, at = text, #text
  while at > 0 do
    local digit = digits:sub(at, at)
    if digit ~= '9' then
      return digits:sub(1, at - 1) .. string.char(digit:byte() + 1) .. digits:sub(at + 1)
    end
    digits = digits:sub(1, at - 1) .. '0' .. digits:sub(at + 1)
    at = at - 1
  end
  return '1' .. digits
end

local names = tonumber(ARGV[11])
local first = 12 + names
local part = ARGV[10] == 'part'

-- Whether a hash holds a nested struct: a field of it, or its marker.
local function holds(parent)
  if redis.call('HEXISTS', key, parent) == 1 then return true end
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if field:sub(1, #parent + 1) == parent .. '.' then return true end
  end
  return false
end

-- Where in the document a part of it is written must be a struct.
if part then
  for i = first, #ARGV, 3 do
    local parent = ARGV[i + 1]
    local found = true
    if storage == 'json' then
      if parent == '' then parent = '$' end
      found = redis.call('JSON.TYPE', key, parent)[1] == 'object'
    elseif parent ~= '' then
      found = holds(parent)
    end
    if not found then return redis.error_reply('ALZPARENT ' .. parent) end
  end
end

-- A script is not rolled back: what the user may not do is found before the first write.
local version = version_field ~= '' and next_version(stored) or ''
local ttl, channel = ARGV[6], ARGV[7]
local event = ARGV[8] .. (version == '' and 'null' or version) .. ARGV[9]
local refused
local function need(command, ...)
  if not redis.acl_check_cmd(command, ...) then refused = command end
end
if storage == 'hash' then
  need('HSET', key, 'f', 'v')
  if names > 0 then need('HDEL', key, 'f') end
else
  need('JSON.SET', key, '$', '1')
  if part then need('JSON.MSET', key, '$', '1') end
  if part and names > 0 then need('JSON.DEL', key, '$') end
end
if ttl == 'clear' then need('PERSIST', key) elseif ttl ~= 'keep' then need('PEXPIRE', key, ttl) end
if ARGV[5] ~= '' then need('DEL', KEYS[2]) end
if channel ~= '' then need('PUBLISH', channel, event) end
if refused then
  return redis.error_reply('ALZDENIED ' .. refused .. (refused == 'PUBLISH' and ' ' .. channel or ''))
end

-- The first write: the only one that can still fail, and then as a whole (JSON that is nested too
-- deep). The version comes after the document's own fields, which hold what the caller knew.
if storage == 'json' then
  if not part then
    redis.call('JSON.SET', key, '$', ARGV[first])
  elseif first <= #ARGV then
    local sets = {}
    for i = first, #ARGV, 3 do
      local at = #sets
      sets[at + 1], sets[at + 2], sets[at + 3] = key, ARGV[i], ARGV[i + 2]
    end
    redis.call('JSON.MSET', unpack(sets))
  end
  if part then
    for i = 12, 11 + names, 2 do redis.call('JSON.DEL', key, ARGV[i]) end
  end
  if version ~= '' then redis.call('JSON.SET', key, version_field, version) end
elseif part then
  for i = first, #ARGV, 3 do redis.call('HSET', key, ARGV[i], ARGV[i + 2]) end
  for i = 12, 11 + names, 2 do
    local parent = ARGV[i + 1]
    -- A struct without fields is told from one that is not there by its marker.
    if redis.call('HDEL', key, ARGV[i]) == 1 and parent ~= '' and not holds(parent) then
      redis.call('HSET', key, parent, '')
    end
  end
  if version ~= '' then redis.call('HSET', key, version_field, version) end
else
  for i = first, #ARGV, 512 do
    redis.call('HSET', key, unpack(ARGV, i, math.min(i + 511, #ARGV)))
  end
  for i = 12, 11 + names, 512 do
    redis.call('HDEL', key, unpack(ARGV, i, math.min(i + 511, 11 + names)))
  end
  if version ~= '' then redis.call('HSET', key, version_field, version) end
end
if ttl == 'clear' then
  redis.call('PERSIST', key)
elseif ttl ~= 'keep' then
  redis.call('PEXPIRE', key, ttl)
end
if ARGV[5] ~= '' then redis.call('DEL', KEYS[2]) end
if channel ~= '' then redis.call('PUBLISH', channel, event) end
return version
