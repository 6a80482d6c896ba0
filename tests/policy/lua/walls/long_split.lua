-- runs for too long or memory or stack overflow or too complex
return string.split(string.rep('a', 10000000), string.rep('a', 5000000) .. 'b')
