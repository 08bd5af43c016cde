-- KEYS: 1 any key.
return dump(KEYS[1])
