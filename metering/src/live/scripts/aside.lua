-- What few debits need, from here to the end of rarely.lua, is made at its first use: a script makes its functions anew at each call, and most calls do
-- without these.
local function rare_rules()
