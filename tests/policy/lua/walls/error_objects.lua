-- a plain text
local ok, problem = pcall(kumo.json_parse, '{')
assert(not ok and type(problem) == 'string', type(problem))
ok, problem = pcall(conn_meta.get_meta, conn_meta, function() end)
assert(not ok and type(problem) == 'string', type(problem))
error 'a plain text'
