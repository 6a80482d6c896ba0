-- memory or runs for too long
local list = {}
for index = 1, 1 << 40 do
  list[index] = { index, tostring(index), string.rep('x', 4000) }
end
