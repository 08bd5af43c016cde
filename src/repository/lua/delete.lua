-- One document deleted: checked, announced and done in one step.
-- Sections: storage, version, if_version as for a write; event: channel, message.
if not there then return 0 end
if misplaced then return redis.error_reply('ALZTYPE ' .. kind) end
local conflict = unexpected()
if conflict then return redis.error_reply(conflict) end

local channel, event = word('event', 1), word('event', 2)
need('DEL', key)
if channel then need('PUBLISH', channel, event) end
if refused then return denied(channel) end

local deleted = redis.call('DEL', key)
if channel then redis.call('PUBLISH', channel, event) end
return deleted
