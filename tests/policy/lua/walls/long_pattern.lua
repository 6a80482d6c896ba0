-- runs for too long or memory or stack overflow or too complex
local text = string.rep('a', 10000000)
return text:find(string.rep('a', 5000000) .. 'b.')
