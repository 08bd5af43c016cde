-- One document deleted: checked, announced and done in one step.
-- Sections: storage, version, if_version as for a write; event: channel, message.
local moved = reserve and reserve()
if moved then return redis.error_reply(moved) end
if not there then return first.if_version and redis.error_reply('ALZNOTFOUND') or 0 end
local channel, event = word('event', 1), word('event', 2)
need('DEL', key)
if channel then need('PUBLISH', channel, event) end
if refused then
  return redis.error_reply('ALZDENIED ' .. refused .. (refused == 'PUBLISH' and ' ' .. channel or ''))
end

-- In a transaction the other steps are checked before this one writes.
if together then coroutine.yield() end
local deleted = call('DEL', key)
if settle then settle() end
if channel then call('PUBLISH', channel, event) end
return deleted
