-- How long single fields of a hash live. Section `limit`: field, milliseconds (begins where no
-- limit runs), `clear`, `keep`, or `=` and milliseconds (begins anew) ...
-- HSET ends a field's limit: those that run are read before, and set again after the writes.
local limit_first, limit_last = first.limit or 1, last.limit or 0
local running = {}
local function check_limits()
  if not first.limit then return end
  for _, command in ipairs({ 'HPEXPIRE', 'HPEXPIREAT', 'HPEXPIRETIME', 'HPERSIST' }) do
    local known, allowed = pcall(redis.acl_check_cmd, command, key, '1', 'FIELDS', '1', 'f')
    if not known then return 'ALZUNSUPPORTED ' .. command end
    if not allowed then refused = refused or command end
  end
end
local function keep_limits()
  if not there then return end
  for i = limit_first, limit_last, 2 do
    local reply = call('HPEXPIRETIME', key, 'FIELDS', 1, ARGV[i])
    if reply and reply[1] and reply[1] > 0 then running[ARGV[i]] = reply[1] end
  end
end
local function set_limits()
  for i = limit_first, limit_last, 2 do
    local field, limit = ARGV[i], ARGV[i + 1]
    if limit:sub(1, 1) == '=' then
      call('HPEXPIRE', key, limit:sub(2), 'FIELDS', 1, field)
    elseif limit == 'clear' then
      -- Written or not, it has none from now on.
      call('HPERSIST', key, 'FIELDS', 1, field)
    elseif running[field] then
      call('HPEXPIREAT', key, string.format('%.0f', running[field]), 'FIELDS', 1, field)
    elseif limit ~= 'keep' then
      call('HPEXPIRE', key, limit, 'FIELDS', 1, field)
    end
  end
end
