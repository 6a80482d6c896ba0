-- nested too deeply
local list = {}
list[1] = list
conn_meta:set_meta('list', list)
