-- A document deleted with what becomes of those that refer to it, in one step: all checked, then
-- all done. The caller found out who refers; what it missed or what changed meanwhile makes it begin
-- again (ALZREPLAN).
-- KEYS: those of all writes, one after the other.
-- ARGV: the number of writes, and of each: `delete` or `write`, the number of its keys, the number
--       of its arguments, and these. The first one deletes the document itself.
--       The number of searches, and of each: index, query, the number of its parameters' words, and
--       these; kind, place, value and separator, as refers.lua takes them; the number of documents
--       that may be found, and their keys. Those that are deleted may be found in any case.
-- Reply: for each write 1, or nothing when the document itself is not there.
local word_at, key_at = 0, 0
local function take()
  word_at = word_at + 1
  return ARGV[word_at]
end

local writes, doomed = {}, {}
for i = 1, tonumber(take()) do
  local write = { keys = {}, arguments = {} }
  local body = take()
  write.routine = coroutine.create(bodies[body])
  local keys, count = tonumber(take()), tonumber(take())
  for k = 1, keys do
    key_at = key_at + 1
    write.keys[k] = KEYS[key_at]
  end
  for a = 1, count do write.arguments[a] = take() end
  if body == 'delete' then doomed[write.keys[1]] = true end
  writes[i] = write
end

-- Lets a write go on to where it waits for the others, or to its end; gives what went wrong.
local function go_on(number)
  local write = writes[number]
  local fine, reply = coroutine.resume(write.routine, write.keys, write.arguments)
  if not fine or type(reply) == 'table' and reply.err then
    local text = type(reply) == 'table' and reply.err or tostring(reply)
    return redis.error_reply('ALZAT ' .. number .. ' ' .. text)
  end
  write.waits = coroutine.status(write.routine) == 'suspended' and (reply or 'writes')
end

for number, write in ipairs(writes) do
  local fault = go_on(number)
  if fault then return fault end
  -- There is nothing to delete.
  if not write.waits then return number == 1 and {} or redis.error_reply('ALZREPLAN') end
end
for number, write in ipairs(writes) do
  local fault = write.waits == 'claims' and go_on(number)
  if fault then return fault end
end

for _ = 1, tonumber(take()) do
  local search = { 'FT.SEARCH', take(), take(), 'NOCONTENT', 'LIMIT', '0', '10000', 'PARAMS' }
  local params = tonumber(take())
  search[#search + 1] = tostring(params)
  for _ = 1, params do search[#search + 1] = take() end
  search[#search + 1], search[#search + 2] = 'DIALECT', '2'
  local kind, place, value, separator = take(), take(), take(), take()
  local expected = {}
  for _ = 1, tonumber(take()) do expected[take()] = true end
  local found = redis.pcall(unpack(search))
  if found.err then return redis.error_reply(found.err) end
  if found[1] > #found - 1 then return redis.error_reply('ALZREPLAN') end
  for i = 2, #found do
    local document = found[i]
    if not doomed[document] and not expected[document]
      and refers(document, kind, place, value, separator) then
      return redis.error_reply('ALZREPLAN')
    end
  end
end

local done = {}
for number = #writes, 1, -1 do
  local fault = go_on(number)
  if fault then return fault end
  done[#done + 1] = 1
end
return done
