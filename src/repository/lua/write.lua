-- One write of one document: checked, announced and done in one step.
-- Sections:
--   storage    hash|json
--   mode       insert|replace; else the document may exist or not
--   version    the version's hash field or JSON path
--   if_version the version that the document must have
--   if_content the SHA-1 that its content must have
--   lock       number of the lock's key, token
--   ttl        clear, or milliseconds; else it stays
--   event      channel, message up to the version, names of the written fields
-- and what is written, either a document as a whole:
--   all        the JSON text, or the hash's fields and values
--   absent     hash fields to remove
-- or parts of one (dotted names in a hash, paths in JSON; the parent is the nested struct that the
-- field is in, or ''):
--   part       says so
--   set        name, parent, value ...
--   unset      name, parent ...
-- Reply: names and values: created 0|1, version.
if misplaced then return redis.error_reply('ALZTYPE ' .. kind) end
local mode = word('mode')
if mode == 'insert' and there then return redis.error_reply('ALZEXISTS') end
if mode == 'replace' and not there then return redis.error_reply('ALZNOTFOUND') end
local lock, token = word('lock', 1), word('lock', 2)
lock = lock and KEYS[tonumber(lock)]
if lock and redis.call('GET', lock) ~= token then return redis.error_reply('ALZLOCKLOST') end

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

local fingerprint = word('if_content')
if (fingerprint or sections.if_version) and not there then
  return redis.error_reply('ALZNOTFOUND')
end
local conflict = unexpected()
if conflict then return redis.error_reply(conflict) end
if fingerprint and redis.sha1hex(content()) ~= fingerprint then
  return redis.error_reply('ALZCONFLICT')
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

local part = sections.part
local all_first, all_last = range('all')
local absent_first, absent_last = range('absent')
local set_first, set_last = range('set')
local unset_first, unset_last = range('unset')

-- Whether a hash holds a nested struct: a field of it, or its marker.
local function holds(parent)
  if redis.call('HEXISTS', key, parent) == 1 then return true end
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if field:sub(1, #parent + 1) == parent .. '.' then return true end
  end
  return false
end

-- Where in the document a part of it is written must be a struct.
local function has_place(parent)
  if storage == 'json' then
    return redis.call('JSON.TYPE', key, parent == '' and '$' or parent)[1] == 'object'
  end
  return parent == '' or holds(parent)
end
if part then
  for i = set_first, set_last, 3 do
    local parent = ARGV[i + 1]
    if not has_place(parent) then return redis.error_reply('ALZPARENT ' .. parent) end
  end
end

local version = version_field and next_version(stored)
local ttl, channel, event = word('ttl'), word('event', 1)
if channel then
  event = word('event', 2) .. (version or 'null') .. ',"fields":[' .. word('event', 3) .. ']}'
end
if storage == 'hash' then
  need('HSET', key, 'f', 'v')
  if sections.absent or sections.unset then need('HDEL', key, 'f') end
else
  need('JSON.SET', key, '$', '1')
  if sections.set then need('JSON.MSET', key, '$', '1') end
  if sections.unset then need('JSON.DEL', key, '$') end
end
if ttl == 'clear' then need('PERSIST', key) elseif ttl then need('PEXPIRE', key, ttl) end
if lock then need('DEL', lock) end
if channel then need('PUBLISH', channel, event) end
if refused then return denied(channel) end

-- The first write: the only one that can still fail, and then as a whole (JSON that is nested too
-- deep). The version comes after the document's own fields, which hold what the caller knew.
if storage == 'json' then
  if not part then
    redis.call('JSON.SET', key, '$', ARGV[all_first])
  elseif set_first <= set_last then
    local sets = {}
    for i = set_first, set_last, 3 do
      local at = #sets
      sets[at + 1], sets[at + 2], sets[at + 3] = key, ARGV[i], ARGV[i + 2]
    end
    redis.call('JSON.MSET', unpack(sets))
  end
  for i = unset_first, unset_last, 2 do redis.call('JSON.DEL', key, ARGV[i]) end
  if version then redis.call('JSON.SET', key, version_field, version) end
else
  for i = all_first, all_last, 512 do
    redis.call('HSET', key, unpack(ARGV, i, math.min(i + 511, all_last)))
  end
  for i = absent_first, absent_last, 512 do
    redis.call('HDEL', key, unpack(ARGV, i, math.min(i + 511, absent_last)))
  end
  for i = set_first, set_last, 3 do redis.call('HSET', key, ARGV[i], ARGV[i + 2]) end
  for i = unset_first, unset_last, 2 do
    local parent = ARGV[i + 1]
    -- A struct without fields is told from one that is not there by its marker.
    if redis.call('HDEL', key, ARGV[i]) == 1 and parent ~= '' and not holds(parent) then
      redis.call('HSET', key, parent, '')
    end
  end
  if version then redis.call('HSET', key, version_field, version) end
end
if ttl == 'clear' then
  redis.call('PERSIST', key)
elseif ttl then
  redis.call('PEXPIRE', key, ttl)
end
if lock then redis.call('DEL', lock) end
if channel then redis.call('PUBLISH', channel, event) end

local reply = { 'created', there and 0 or 1 }
if version then reply[3], reply[4] = 'version', version end
return reply
