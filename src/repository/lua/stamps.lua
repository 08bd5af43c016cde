-- The server's clock in the documents: sections `created` and `updated`, each with the field, its
-- unit (ns or ms since 1970) and its form in JSON (number or string).
local now
local function stamp(name)
  now = now or call('TIME')
  if word(name, 2) == 'ms' then
    return string.format('%s%03d', now[1], math.floor(now[2] / 1000))
  end
  return string.format('%s%06d000', now[1], now[2])
end
local function write_stamp(name, text)
  if storage == 'hash' then
    call('HSET', key, word(name), text)
  else
    call('JSON.SET', key, word(name), word(name, 3) == 'string' and '"' .. text .. '"' or text)
  end
end

-- What becomes of them: the creation is told once and stays.
local created_at, updated_at
local function stamps()
  if first.created then
    if there then
      created_at = current(word('created')):match('^"?(%-?%d+)"?$')
    else
      created_at = stamp('created')
    end
  end
  if first.updated then updated_at = stamp('updated') end
end
