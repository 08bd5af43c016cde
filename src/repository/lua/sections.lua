-- What the scripts share that write one document.
-- KEYS: 1 document, and further ones that sections name by their numbers.
-- ARGV: named sections, in any order, each its name, the number of its arguments, and these. What
--       does not apply is left out, and so a section can be added without a change to the others.
local ARGV, call = ARGV, redis.call
-- Where each section's arguments begin and end.
local first, last = {}, {}
do
  local at, count = 1, #ARGV
  while at < count do
    local name, from = ARGV[at], at + 2
    at = from + tonumber(ARGV[at + 1])
    first[name], last[name] = from, at - 1
  end
end
-- An argument of a section, or nil.
local function word(name, number)
  local from = first[name]
  return from and ARGV[from + (number or 1) - 1]
end

local key, storage = KEYS[1], word('storage')
local kind = call('TYPE', key).ok
local there = kind ~= 'none'
if there and kind ~= (storage == 'hash' and 'hash' or 'ReJSON-RL') then
  return redis.error_reply('ALZTYPE ' .. kind)
end

-- A script is not rolled back: what the user may not do is found before the first write.
local refused
local function need(command, ...)
  if not redis.acl_check_cmd(command, ...) then refused = refused or command end
end

-- The stored version: digits, or nothing.
local version_field, stored = word('version'), ''
if version_field and there then
  if storage == 'hash' then
    stored = call('HGET', key, version_field) or ''
  else
    stored = (call('JSON.GET', key, version_field) or '[]'):match('%d+') or ''
  end
end
local wanted = word('if_version')
if wanted and there and stored ~= wanted then
  return redis.error_reply('ALZCONFLICT ' .. wanted .. ' ' .. stored)
end
