-- Unique fields: whose their values are. A reservation is a key made of the constraint's name and
-- the value's digest; it holds `token:milliseconds:document`. The document is the truth: a
-- reservation whose document lacks the value is stale, and anybody may have it.
-- Sections:
--   unique  the model's name, what the keys of reservations begin with,
--           then for each constraint its name and the numbers of its fields in `places`
--   places  hash fields or JSON paths
--   values  what becomes of each with the whole document: `=` it stays, `-` it goes, `+` and the value
--   parts   the same with parts of one
--   apart   where reservations lie in other slots, and the caller has made them: number of the
--           claims' key, what it has to hold, digest of the fields that the caller saw,
--           when that was (milliseconds), what the key shall hold
local uniques = {}
do
  for i = (first.unique or 1) + 2, last.unique or 0, 2 do
    local at = {}
    for digits in ARGV[i + 1]:gmatch('%d+') do at[#at + 1] = tonumber(digits) end
    uniques[#uniques + 1] = { ARGV[i], at }
  end
end

-- For how long a document's claims are remembered; a write that the caller prepared longer ago than
-- the other is refused, so that no claim is forgotten which a write on its way relies on.
local REMEMBERED, LATEST = 600000, 60000

local function now()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The value of a field, exact bytes; false when there is none.
local function member(document, place)
  if storage == 'hash' then return call('HGET', document, place) end
  local text = call('JSON.GET', document, place)
  text = text and text:match('^%[(.*)%]$')
  if not text or text == '' or text == 'null' then return false end
  if text:sub(1, 1) == '"' then return cjson.decode('[' .. text .. ']')[1] end
  return text
end

local function members(document)
  local kind = call('TYPE', document).ok
  local readable = kind == (storage == 'hash' and 'hash' or 'ReJSON-RL')
  local values = {}
  for i = first.places, last.places do
    values[i - first.places + 1] = readable and member(document, ARGV[i]) or false
  end
  return values
end

-- The key that reserves what a constraint's fields hold; nil when one of them holds nothing.
local function reservation(unique, values)
  local text = {}
  for i, at in ipairs(unique[2]) do
    if not values[at] then return nil end
    text[i] = #values[at] .. ':' .. values[at]
  end
  text = table.concat(text)
  local digest = redis.sha1hex('a' .. text) .. redis.sha1hex('b' .. text):sub(1, 24)
  return word('unique', 2) .. unique[1] .. ':' .. digest
end

local function seen(values)
  local text = { there and 'there' or 'none' }
  for i, value in ipairs(values) do text[i + 1] = value and #value .. ':' .. value or '-' end
  return redis.sha1hex(table.concat(text))
end

-- The document that a reservation is for.
local function owner(reservation_key)
  local reserved = call('GET', reservation_key)
  return reserved and reserved:match('^[^:]*:%d+:(.*)$')
end

local claimed, released, turn = {}, {}, nil

-- In a transaction: tells the other steps what this one claims and gives up, and waits until they
-- have told it. What one gives up another may have, in whatever order; two cannot have the same.
local function announce(old, new)
  for _, unique in ipairs(uniques) do
    local from, to = reservation(unique, old), reservation(unique, new)
    if from and from ~= to then together.released[from] = key end
    local other = to and together.claimed[to]
    if other then return 'ALZTAKEN ' .. word('unique', 1) .. ' ' .. unique[1] .. ' ' .. other end
    if to then together.claimed[to] = key end
  end
  coroutine.yield('claims')
end

-- Finds out what a write does to reservations, before it is done; gives the error against it. The
-- section says what becomes of the fields; of a document that is deleted there is none.
local function reserve(section)
  if #uniques == 0 then return end
  local old, new, changed = members(key), {}, false
  for at, value in ipairs(old) do
    local change = section and ARGV[first[section] + at - 1] or '-'
    local sign = change:sub(1, 1)
    new[at] = sign == '+' and change:sub(2) or sign == '=' and value or false
    changed = changed or new[at] ~= value
  end
  if first.apart then
    local claims = KEYS[tonumber(word('apart', 1))]
    local late = now() - tonumber(word('apart', 4)) > LATEST
    if late or (call('GET', claims) or '') ~= word('apart', 2) or seen(old) ~= word('apart', 3) then
      return 'ALZMOVED'
    end
    if changed then
      turn = claims
      need('SET', claims, word('apart', 5), 'PX', REMEMBERED)
    end
    return
  end
  if together then
    local fault = announce(old, new)
    if fault then return fault end
  end
  for _, unique in ipairs(uniques) do
    local from, to = reservation(unique, old), reservation(unique, new)
    if to then
      local other = owner(to)
      local kept = other and other ~= key and not (together and together.released[to] == other)
      if kept and reservation(unique, members(other)) == to then
        return 'ALZTAKEN ' .. word('unique', 1) .. ' ' .. unique[1] .. ' ' .. other
      end
      if other ~= key then
        claimed[#claimed + 1] = to
        need('SET', to, '')
      end
    end
    if from and from ~= to and owner(from) == key then
      released[#released + 1] = from
      need('DEL', from)
    end
  end
end

-- Does it.
local function settle()
  for _, to in ipairs(claimed) do
    call('SET', to, ':' .. string.format('%.0f', now()) .. ':' .. key)
  end
  for _, from in ipairs(released) do
    -- Another step may have claimed it since.
    if not together or owner(from) == key then call('DEL', from) end
  end
  if turn then call('SET', turn, word('apart', 5), 'PX', REMEMBERED) end
end
