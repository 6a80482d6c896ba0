-- attempt to get length of a nil value (field 'searchers')
return #package.searchers
