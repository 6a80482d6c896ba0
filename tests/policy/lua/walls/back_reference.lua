-- runs for too long
return string.find(string.rep('a', 20000), '(a*)(a*)%1%2b')
