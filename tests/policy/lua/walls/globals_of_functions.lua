-- no python anywhere
local seen = {}
local function look(value)
  assert(type(value) ~= 'userdata', 'an object of Python')
  if type(value) == 'table' and not seen[value] then
    seen[value] = true
    for name, each in next, value do
      look(name)
      look(each)
    end
    look(getmetatable(value))
  end
end
look(_G)
look(conn_meta)
look(kumo)
error 'no python anywhere'
