-- A document that refers to others is changed or deleted for their sake: if it does so still.
for i = first.refers or 1, last.refers or 0, 4 do
  if not there or not refers(key, ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]) then
    return redis.error_reply('ALZUNREFERRED')
  end
end
