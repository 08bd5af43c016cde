-- One write of one document: checked, announced and done in one step.
-- Sections:
--   storage    hash|json
--   mode       insert|replace; else the document may exist or not
--   version    the version's hash field or JSON path
--   if_version the version that the document must have
--   if_content the SHA-1 that its content must have
--   lock       number of the lock's key, token
--   ttl        clear, or milliseconds; else it stays
--   ttl_of_new says that the ttl is that of a document as a whole
--   event      channel, message up to the version, names of the fields that are written as parts
--   created, updated   stamps.lua
--   limit      limits.lua
--   unique, places, values, parts, apart   unique.lua
--   returned   names of the fields to give back as they are after the write
-- and what is written, either a document as a whole:
--   all        the JSON text, or the hash's fields and values
--   absent     hash fields to remove
-- or parts of one (dotted names in a hash, paths in JSON; the parent is the nested struct that the
-- field is in, or ''):
--   part       says so; with `all` too, parts of a document that exists, else all
--   set        name, parent, value ...
--   unset      name, parent ...
--   edit       edits.lua; its values are in items
-- Reply: names and values: created 0|1, version, created_at, updated_at, values.
local mode = word('mode')
if mode == 'insert' and there then return redis.error_reply('ALZEXISTS') end
if mode == 'replace' and not there then return redis.error_reply('ALZNOTFOUND') end
local lock, token = word('lock', 1), word('lock', 2)
lock = lock and KEYS[tonumber(lock)]
if lock and call('GET', lock) ~= token then return redis.error_reply('ALZLOCKLOST') end

local fingerprint = word('if_content')
if (fingerprint or first.if_version) and not there then
  return redis.error_reply('ALZNOTFOUND')
end
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

local part = first.part and (there or not first.all)
-- Parts and a whole are never written both: of the other one there is nothing.
local all_first, all_last, absent_first, absent_last = 1, 0, 1, 0
local set_first, set_last, unset_first, unset_last = 1, 0, 1, 0
if part then
  set_first, set_last = first.set or 1, last.set or 0
  unset_first, unset_last = first.unset or 1, last.unset or 0
else
  all_first, all_last = first.all, last.all
  absent_first, absent_last = first.absent or 1, last.absent or 0
end

-- Whether a hash holds a nested struct: a field of it, or its marker.
local function holds(parent)
  if call('HEXISTS', key, parent) == 1 then return true end
  for _, field in ipairs(call('HKEYS', key)) do
    if field:sub(1, #parent + 1) == parent .. '.' then return true end
  end
  return false
end

-- Where in the document a part of it is written must be a struct.
local function has_place(parent)
  if storage == 'json' then
    return call('JSON.TYPE', key, parent == '' and '$' or parent)[1] == 'object'
  end
  return parent == '' or holds(parent)
end
if part then
  for i = set_first, set_last, 3 do
    local parent = ARGV[i + 1]
    if not has_place(parent) then return redis.error_reply('ALZPARENT ' .. parent) end
  end
  for i = first.edit or 1, last.edit or 0, 7 do
    local parent = ARGV[i + 2]
    if not has_place(parent) then return redis.error_reply('ALZPARENT ' .. parent) end
    local fault = edit(unpack(ARGV, i, i + 6))
    if fault then return redis.error_reply(fault) end
  end
end

local taken = reserve and reserve(part and 'parts' or 'values')
if taken then return redis.error_reply(taken) end

local ttl, channel, event = word('ttl'), word('event', 1)
if part and first.ttl_of_new then ttl = nil end
-- Parts, but none: only what was checked so far.
local nothing = part and not (first.set or first.unset or first.edit or ttl or first.limit)
local version
if nothing then
  version, channel = stored ~= '' and stored or nil, nil
else
  if stamps then stamps() end
  version = version_field and next_version(stored)
end
if channel then
  local fields = part and word('event', 3) or ''
  event = word('event', 2) .. (version or 'null') .. ',"fields":[' .. fields .. ']}'
end
if storage == 'hash' then
  need('HSET', key, 'f', 'v')
  if first.absent or first.unset then need('HDEL', key, 'f') end
else
  need('JSON.SET', key, '$', '1')
  if first.set or sums and #sums > 0 then need('JSON.MSET', key, '$', '1') end
  if first.unset then need('JSON.DEL', key, '$') end
end
if ttl == 'clear' then need('PERSIST', key) elseif ttl then need('PEXPIRE', key, ttl) end
if lock then need('DEL', lock) end
if channel then need('PUBLISH', channel, event) end
local unknown = check_limits and check_limits()
if unknown then return redis.error_reply(unknown) end
if refused then
  return redis.error_reply('ALZDENIED ' .. refused .. (refused == 'PUBLISH' and ' ' .. channel or ''))
end

-- In a transaction the other steps are checked before this one writes.
if together then
  if storage == 'json' and too_deep() then return redis.error_reply('ALZDEEP') end
  coroutine.yield()
end

-- The first write: the only one that can still fail, and then as a whole (JSON that is nested too
-- deep). What the server counts and stamps comes after the document's own fields, which hold what
-- the caller knew.
if keep_limits then keep_limits() end
if nothing then
  -- The document stays as it is.
elseif storage == 'json' then
  if not part then
    call('JSON.SET', key, '$', ARGV[all_first])
  else
    local sets = {}
    for i = set_first, set_last, 3 do
      local at = #sets
      sets[at + 1], sets[at + 2], sets[at + 3] = key, ARGV[i], ARGV[i + 2]
    end
    for i = 1, sums and #sums or 0, 2 do
      local at = #sets
      sets[at + 1], sets[at + 2], sets[at + 3] = key, sums[i], sums[i + 1]
    end
    if #sets > 0 then call('JSON.MSET', unpack(sets)) end
    for _, move in ipairs(moves or {}) do move() end
  end
  for i = unset_first, unset_last, 2 do call('JSON.DEL', key, ARGV[i]) end
  if version then call('JSON.SET', key, version_field, version) end
else
  for i = all_first, all_last, 512 do
    call('HSET', key, unpack(ARGV, i, math.min(i + 511, all_last)))
  end
  for i = absent_first, absent_last, 512 do
    call('HDEL', key, unpack(ARGV, i, math.min(i + 511, absent_last)))
  end
  for i = set_first, set_last, 3 do call('HSET', key, ARGV[i], ARGV[i + 2]) end
  for i = 1, sums and #sums or 0, 2 do call('HSET', key, sums[i], sums[i + 1]) end
  for i = unset_first, unset_last, 2 do
    local parent = ARGV[i + 1]
    -- A struct without fields is told from one that is not there by its marker.
    if call('HDEL', key, ARGV[i]) == 1 and parent ~= '' and not holds(parent) then
      call('HSET', key, parent, '')
    end
  end
  if version then call('HSET', key, version_field, version) end
end
if created_at and not part then write_stamp('created', created_at) end
if updated_at then write_stamp('updated', updated_at) end
if set_limits then set_limits() end
if settle then settle() end
if ttl == 'clear' then
  call('PERSIST', key)
elseif ttl then
  call('PEXPIRE', key, ttl)
end
if lock then call('DEL', lock) end
if channel then call('PUBLISH', channel, event) end

local reply = { 'created', there and 0 or 1 }
if version then reply[3], reply[4] = 'version', version end
if created_at then
  reply[#reply + 1], reply[#reply + 2] = 'created_at', created_at .. word('created', 2)
end
if updated_at then
  reply[#reply + 1], reply[#reply + 2] = 'updated_at', updated_at .. word('updated', 2)
end
if first.returned then
  local values = {}
  for i = first.returned, last.returned do
    values[#values + 1] = storage == 'hash' and call('HGET', key, ARGV[i])
      or storage == 'json' and call('JSON.GET', key, ARGV[i])
  end
  reply[#reply + 1], reply[#reply + 2] = 'values', values
end
return reply
