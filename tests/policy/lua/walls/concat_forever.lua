-- more than a million elements
return table.concat(setmetatable({}, { __index = table.concat }), '', 1, 1 << 53)
