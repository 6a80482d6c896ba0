-- runs for too long
xpcall(error, function()
  while true do end
end)
