-- JSON that RedisJSON refuses to read, which would come too late where other steps have written.
local function is_deep(text)
  local _, opened = text:gsub('[%[{]', '')
  if opened <= 127 then return false end
  local depth = 0
  for bracket in text:gsub('\\.', ''):gsub('"[^"]*"', ''):gmatch('[%[%]{}]') do
    depth = depth + ((bracket == '[' or bracket == '{') and 1 or -1)
    if depth > 127 then return true end
  end
  return false
end
local function too_deep()
  for _, section in ipairs({ 'all', 'items' }) do
    for i = first[section] or 1, last[section] or 0 do
      if is_deep(ARGV[i]) then return true end
    end
  end
  for i = first.set or 1, last.set or 0, 3 do
    if is_deep(ARGV[i + 2]) then return true end
  end
  return false
end
