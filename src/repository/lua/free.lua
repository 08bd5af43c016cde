-- Stands for unique.lua where nothing is unique.
local reserve, settle
