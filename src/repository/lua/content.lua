-- The whole content, as a fingerprint is made of it.
local function content()
  if storage == 'json' then return call('JSON.GET', key) end
  local flat = call('HGETALL', key)
  local pairs_ = {}
  for i = 1, #flat, 2 do
    pairs_[#pairs_ + 1] = #flat[i] .. ':' .. flat[i] .. #flat[i + 1] .. ':' .. flat[i + 1]
  end
  table.sort(pairs_)
  return table.concat(pairs_)
end
