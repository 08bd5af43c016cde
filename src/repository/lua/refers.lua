-- Whether documents still refer to others, which the caller found out before.
-- Section `refers`: kind, place, what the field has to hold, separator ... (`kind` is hash, for one
-- value; tags, for one of several with separators between them; json; items, for one of a JSON list)
local function split(text, separator)
  local items, from = {}, 1
  if text == '' then return items end
  while true do
    local at = text:find(separator, from, true)
    if not at then break end
    items[#items + 1], from = text:sub(from, at - 1), at + #separator
  end
  items[#items + 1] = text:sub(from)
  return items
end

local function refers(document, kind_, place, value, separator)
  local stored_as = redis.call('TYPE', document).ok
  if kind_ == 'hash' or kind_ == 'tags' then
    local text = stored_as == 'hash' and redis.call('HGET', document, place)
    if not text then return false end
    if kind_ == 'hash' then return text == value end
    for _, item in ipairs(split(text, separator)) do
      if item == value then return true end
    end
    return false
  end
  if stored_as ~= 'ReJSON-RL' then return false end
  if kind_ == 'items' then
    local at = redis.call('JSON.ARRINDEX', document, place, value)[1]
    return at and at >= 0
  end
  local text = redis.call('JSON.GET', document, place)
  text = text and text:match('^%[(.*)%]$')
  if not text or text == '' then return false end
  -- One text can be written in several ways.
  if text:sub(1, 1) == '"' and value:sub(1, 1) == '"' then
    return cjson.decode('[' .. text .. ']')[1] == cjson.decode('[' .. value .. ']')[1]
  end
  return text == value
end
