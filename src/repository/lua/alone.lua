-- Stands for together.lua in scripts of one write.
local together
