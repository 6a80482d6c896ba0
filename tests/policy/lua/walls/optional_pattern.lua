-- runs for too long
local n = 28
return string.find(string.rep('a', n), string.rep('a?', n) .. string.rep('a', n) .. 'b')
