-- runs for too long
local text = string.rep('a', 5000):gsub('(a*)*(a*)*(a*)*(a*)*(a*)b', '')
