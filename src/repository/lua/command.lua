-- A key that a transaction has watched: ARGV: 1 what it held.
function bodies.watched(KEYS, ARGV)
  if dump(KEYS[1]) ~= ARGV[1] then return redis.error_reply('ALZCONFLICT') end
  return 1
end

-- A raw command of a transaction. What would fail is found before the first write, as far as the
-- command says it: its name, its arguments, its keys, the type that it needs.
-- KEYS: those that the caller knows.  ARGV: the command.
local kinds = {
  string = ' APPEND BITCOUNT BITFIELD BITPOS DECR DECRBY GET GETBIT GETDEL GETEX GETRANGE INCR INCRBY INCRBYFLOAT SETBIT SETRANGE STRLEN ',
  hash = ' HDEL HEXISTS HGET HGETALL HINCRBY HINCRBYFLOAT HKEYS HLEN HMGET HMSET HSET HSETNX HSTRLEN HVALS ',
  list = ' LINDEX LINSERT LLEN LPOP LPOS LPUSH LPUSHX LRANGE LREM LSET LTRIM RPOP RPUSH RPUSHX ',
  set = ' SADD SCARD SISMEMBER SMEMBERS SMISMEMBER SPOP SRANDMEMBER SREM ',
  zset = ' GEOADD ZADD ZCARD ZCOUNT ZINCRBY ZPOPMAX ZPOPMIN ZRANGE ZRANK ZREM ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREVRANK ZSCORE ',
  stream = ' XADD XDEL XLEN XRANGE XREVRANGE XTRIM ',
}
local whole = { INCR = true, DECR = true, INCRBY = true, DECRBY = true }
-- What removes documents unseen.
local sweeping = { FLUSHALL = true, FLUSHDB = true, SWAPDB = true }

-- Why the server would not run it; nothing where it would, or does not tell this user.
local function unfit(name, ARGV)
  if sweeping[name] then return 'ALZREFUSED ' .. name end
  local about = redis.pcall('COMMAND', 'INFO', name)
  if about.err then return end
  about = about[1]
  if not about then return "ERR unknown command '" .. name .. "'" end
  if ARGV[2] and type(about[10]) == 'table' and #about[10] > 0 then
    local part = redis.pcall('COMMAND', 'INFO', name .. '|' .. ARGV[2])
    about = not part.err and part[1] or about
  end
  local arity = about[2]
  if arity > 0 and #ARGV ~= arity or #ARGV < -arity then
    return "ERR wrong number of arguments for '" .. name .. "' command"
  end
  for _, flag in ipairs(about[3]) do
    if (flag.ok or flag) == 'noscript' then return 'ALZREFUSED ' .. name end
  end
end

-- Why one of its keys stands against it.
local function mislaid(keys)
  for _, key in ipairs(keys) do
    if together.documents[key] then
      return 'ALZSAME ' .. together.documents[key] .. ' ' .. key
    end
    if together.slot ~= '' then
      local slot = redis.pcall('CLUSTER', 'KEYSLOT', key)
      if type(slot) == 'number' and slot ~= tonumber(together.slot) then
        return 'ALZSLOT ' .. slot .. ' ' .. key
      end
    end
  end
end

-- Why what the key holds stands against it.
local function mismatched(name, key)
  local needed
  for kind, names in pairs(kinds) do
    if names:find(' ' .. name .. ' ', 1, true) then needed = kind end
  end
  if not needed then return end
  local stored = redis.call('TYPE', key).ok
  if stored ~= 'none' and stored ~= needed then
    return 'WRONGTYPE `' .. key .. '` holds a ' .. stored .. ', and ' .. name .. ' needs a ' .. needed
  end
  if whole[name] and stored == 'string' and not redis.call('GET', key):match('^%-?%d+$') then
    return 'ERR `' .. key .. '` holds no integer, which ' .. name .. ' needs'
  end
end

-- Lua's numbers are doubles.
local function is_exact(reply)
  if type(reply) == 'number' then return math.abs(reply) < 2 ^ 53 end
  if type(reply) == 'table' then
    for _, part in ipairs(reply) do
      if not is_exact(part) then return false end
    end
  end
  return true
end

function bodies.command(KEYS, ARGV)
  local name = ARGV[1]:upper()
  local fault = unfit(name, ARGV)
  if fault then return redis.error_reply(fault) end
  local known, allowed = pcall(redis.acl_check_cmd, unpack(ARGV))
  if not known then return redis.error_reply("ERR unknown command '" .. name .. "', or its arguments") end
  if not allowed then return redis.error_reply('ALZDENIED ' .. name) end
  local keys = redis.pcall('COMMAND', 'GETKEYS', unpack(ARGV))
  if keys.err then keys = KEYS end
  fault = mislaid(keys)
  -- What an earlier command of the transaction makes of a key is not known yet.
  if not fault and keys[1] and not together.touched[keys[1]] then
    fault = mismatched(name, keys[1])
  end
  if fault then return redis.error_reply(fault) end
  for _, key in ipairs(keys) do together.touched[key] = true end
  coroutine.yield()
  local reply = redis.pcall(unpack(ARGV))
  if type(reply) == 'table' and reply.err then return reply end
  return reply, is_exact(reply)
end
