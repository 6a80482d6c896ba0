-- runs for too long
return string.find(string.rep('a', 5000), string.rep('a*', 30) .. 'b')
