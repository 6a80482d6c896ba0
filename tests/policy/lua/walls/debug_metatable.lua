-- attempt to call a nil value (field 'getmetatable')
debug.getmetatable('').__index = nil
