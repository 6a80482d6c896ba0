-- runs for too long
local thread = coroutine.create(function()
  while true do end
end)
while true do
  coroutine.resume(thread)
end
