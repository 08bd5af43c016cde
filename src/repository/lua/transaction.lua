-- Several steps as one: each runs up to its first write, and only when none was refused do they go
-- on. A script is not rolled back: that is why raw commands, which alone can still fail, come first.
-- KEYS: those of the steps, one after the other.
-- ARGV: the slot on a cluster, or nothing; number of steps; then of each: body, number of keys,
--       number of arguments, arguments.
-- Reply: that of each step.
together.slot = ARGV[1]
local steps = {}
do
  local at, key = 3, 1
  for number = 1, tonumber(ARGV[2]) do
    local keys, arguments = {}, {}
    for i = 1, tonumber(ARGV[at + 1]) do keys[i] = KEYS[key + i - 1] end
    for i = 1, tonumber(ARGV[at + 2]) do arguments[i] = ARGV[at + 2 + i] end
    local body = ARGV[at]
    key, at = key + #keys, at + 3 + #arguments
    steps[number] = {
      raw = body == 'command', keys = keys, arguments = arguments,
      routine = coroutine.create(bodies[body]),
    }
    if body == 'write' or body == 'delete' then together.documents[keys[1]] = number end
  end
end

local replies, done = {}, {}

-- Lets a step go on to where it waits for the others, or to its end; gives what went wrong.
local function go_on(number)
  local step = steps[number]
  local fine, reply, exact = coroutine.resume(step.routine, step.keys, step.arguments)
  if not fine or type(reply) == 'table' and reply.err then
    local text = type(reply) == 'table' and reply.err or tostring(reply)
    local before = #done > 0 and table.concat(done, ',') or '-'
    return redis.error_reply('ALZSTEP ' .. number .. ' ' .. before .. ' ' .. text)
  end
  step.waits = coroutine.status(step.routine) == 'suspended' and (reply or 'writes')
  if not step.waits then
    if exact == false then reply = redis.error_reply('ALZINEXACT') end
    replies[number] = reply
  end
end

for number = 1, #steps do
  local fault = go_on(number)
  if fault then return fault end
end
for number, step in ipairs(steps) do
  local fault = step.waits == 'claims' and go_on(number)
  if fault then return fault end
end
for _, raw in ipairs({ true, false }) do
  for number, step in ipairs(steps) do
    if step.waits and step.raw == raw then
      local fault = go_on(number)
      if fault then return fault end
      done[#done + 1] = number
    end
  end
end
return replies
