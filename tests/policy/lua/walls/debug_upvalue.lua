-- attempt to call a nil value (field 'getupvalue')
debug.getupvalue(print, 1)
