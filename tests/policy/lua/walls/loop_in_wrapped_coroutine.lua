-- runs for too long
local f = coroutine.wrap(function()
  while true do
    pcall(coroutine.yield)
    while true do end
  end
end)
while true do
  pcall(f)
end
