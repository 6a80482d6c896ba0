-- runs for too long
local text = string.rep('a', 3000)
for _ = 1, 1000000 do
  local at = text:find 'a*b'
end
