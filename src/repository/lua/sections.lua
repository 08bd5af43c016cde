-- What the scripts share that write one document.
-- KEYS: 1 document, and further ones that sections name by their numbers.
-- ARGV: named sections, in any order, each its name, the number of its arguments, and these. What
--       does not apply is left out, and so a section can be added without a change to the others.
local sections = {}
do
  local at = 1
  while at < #ARGV do
    local count = tonumber(ARGV[at + 1])
    sections[ARGV[at]] = { at + 2, at + 1 + count }
    at = at + 2 + count
  end
end

-- An argument of a section, or nil.
local function word(name, number)
  local section = sections[name]
  return section and ARGV[section[1] + (number or 1) - 1]
end

-- Where a section's arguments begin and end; for one that was left out, a range of nothing.
local function range(name)
  local section = sections[name]
  if section then return section[1], section[2] end
  return 1, 0
end

local key, storage = KEYS[1], word('storage')
local kind = redis.call('TYPE', key).ok
local there = kind ~= 'none'
local misplaced = there and kind ~= (storage == 'hash' and 'hash' or 'ReJSON-RL')

-- A script is not rolled back: what the user may not do is found before the first write.
local refused
local function need(command, ...)
  if not redis.acl_check_cmd(command, ...) then refused = refused or command end
end
local function denied(channel)
  return redis.error_reply('ALZDENIED ' .. refused .. (refused == 'PUBLISH' and ' ' .. channel or ''))
end

-- The stored version: digits, or nothing.
local version_field = word('version')
local stored = ''
if version_field and there and not misplaced then
  if storage == 'hash' then
    stored = redis.call('HGET', key, version_field) or ''
  else
    stored = (redis.call('JSON.GET', key, version_field) or '[]'):match('%d+') or ''
  end
end

-- The error for a document that is not as the caller expects it.
local function unexpected()
  local wanted = word('if_version')
  if wanted and stored ~= wanted then return 'ALZCONFLICT ' .. wanted .. ' ' .. stored end
end
