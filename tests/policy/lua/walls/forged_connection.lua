-- conn_meta is used outside of its event
kept = kept or conn_meta
local other = {}
for key in pairs(conn_meta) do
  other[key] = 'another session'
end
setmetatable(other, getmetatable(conn_meta)):get_meta 'x'
