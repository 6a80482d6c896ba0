-- memory or runs for too long
local text = 'x'
while true do
  text = text .. text
end
