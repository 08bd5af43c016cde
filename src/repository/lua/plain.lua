-- Stands for numbers.lua, edits.lua, stamps.lua and limits.lua in writes that need none of them:
-- what a script defines, it defines with every call.
local sums, moves, edit, created_at, updated_at, stamps, check_limits, keep_limits, set_limits
