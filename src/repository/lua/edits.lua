-- Changes that start from what is stored: each is worked out before the first write, or proved
-- possible. Records of seven: how, name, parent, the field's name for messages, three arguments.
local item_first = first.items
local sums, moves = {}, {}

local function current(name)
  if storage == 'hash' then return call('HGET', key, name) or '' end
  local text = (call('JSON.GET', key, name) or '[]'):sub(2, -2)
  return text == 'null' and '' or text
end
local function items(from, count)
  local list = {}
  for i = 1, tonumber(count) do list[i] = ARGV[item_first + tonumber(from:sub(2)) - 1 + i] end
  return list
end

-- The text to store instead of the number, or the fault.
local function sum(how, name, delta, limits, form)
  local before = current(name)
  if form == 'string' then before = before:match('^"(.*)"$') or before end
  if before == '' then before = '0' end
  local after
  if how == 'add' then
    local least, most = limits:match('^(%S+) (%S+)$')
    -- RedisJSON may hold a whole number as a float.
    after = plus(before:match('^(.*)%.0+$') or before, delta)
    if not after then return nil, 'ALZNUMBER ' end
    if not (at_most(least, after) and at_most(after, most)) then return nil, 'ALZRANGE ' end
  else
    if not tonumber(before) then return nil, 'ALZNUMBER ' end
    after = float_plus(before, delta, limits)
    if not after then return nil, 'ALZRANGE ' end
    -- As RedisJSON's other floats: never mistaken for a whole number.
    if storage == 'json' and not after:find('[.e]') then after = after .. '.0' end
  end
  return form == 'string' and '"' .. after .. '"' or after
end

local arrays = {
  push = 'JSON.ARRAPPEND', insert = 'JSON.ARRINSERT', remove = 'JSON.ARRPOP',
  without = 'JSON.ARRPOP', trim = 'JSON.ARRTRIM',
}

local function edit(how, name, parent, field, a, b, c)
  if how == 'add' or how == 'add_float' then
    local text, fault = sum(how, name, a, b, c)
    if not text then return fault .. field end
    sums[#sums + 1], sums[#sums + 2] = name, text
    return
  end
  local type_ = call('JSON.TYPE', key, name)[1] or 'null'
  local command = arrays[how]
  if type_ ~= 'null' and type_ ~= (command and 'array' or 'object') then
    return (command and 'ALZNOLIST ' or 'ALZNOMAP ') .. field
  end
  local length = type_ == 'array' and call('JSON.ARRLEN', key, name)[1] or 0
  if how == 'insert' and tonumber(c) > length or how == 'remove' and tonumber(a) >= length then
    return 'ALZINDEX ' .. field
  end
  -- No values are put into the list: nothing to do.
  if (how == 'push' or how == 'without') and b == '0' then return end
  need(command or 'JSON.MERGE', key, name, '1', '1')
  moves[#moves + 1] = function()
    if type_ == 'null' then
      if how == 'push' or how == 'insert' then
        call('JSON.SET', key, name, '[' .. table.concat(items(a, b), ',') .. ']')
        return
      elseif how == 'put' then
        call('JSON.SET', key, name, '{}')
      else
        return
      end
    end
    if how == 'push' then
      call(command, key, name, unpack(items(a, b)))
    elseif how == 'insert' then
      call(command, key, name, c, unpack(items(a, b)))
    elseif how == 'remove' then
      call(command, key, name, a)
    elseif how == 'trim' then
      call(command, key, name, a, b)
    elseif how == 'without' then
      for _, item in ipairs(items(a, b)) do
        local at = call('JSON.ARRINDEX', key, name, item)[1]
        while at and at >= 0 do
          call(command, key, name, at)
          at = call('JSON.ARRINDEX', key, name, item)[1]
        end
      end
    else
      -- The old member goes first: objects would be merged.
      local entry = items(a, b)
      call('JSON.MERGE', key, name, '{' .. entry[1] .. ':null}')
      if entry[2] then call('JSON.MERGE', key, name, '{' .. entry[1] .. ':' .. entry[2] .. '}') end
    end
  end
end
