-- fine
return string.rep('', 1 << 60) == '' and nil
