-- One more edit: `drop` takes items out of a hash's list, which is one text with separators.
local other_edit = edit
edit = function(how, name, parent, field, a, b, c)
  if how ~= 'drop' then return other_edit(how, name, parent, field, a, b, c) end
  local gone, kept = {}, {}
  for _, item in ipairs(items(a, b)) do gone[item] = true end
  for _, item in ipairs(split(current(name), c)) do
    if not gone[item] then kept[#kept + 1] = item end
  end
  sums[#sums + 1], sums[#sums + 2] = name, table.concat(kept, c)
end
