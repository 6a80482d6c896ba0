-- Lua itself: what is wrapped behaves as the manual says
assert(_VERSION == 'Lua 5.4' and _G.print == print)
local ok, problem = pcall(error, { code = 1 })
assert(not ok and problem.code == 1)
assert(select('#', pcall(function() return nil, nil end)) == 3)
ok, problem = xpcall(function(a) error(a, 0) end, function(e) return 'handled ' .. e end, 'this')
assert(not ok and problem == 'handled this')

local thread = coroutine.create(function(a)
  local b = coroutine.yield(a + 1)
  local inner, failure = pcall(function() coroutine.yield 'deep' error 'x' end)
  return b, inner, failure
end)
assert(select(2, coroutine.resume(thread, 1)) == 2)
assert(select(2, coroutine.resume(thread, 'b')) == 'deep')
local _, b, inner = coroutine.resume(thread)
assert(b == 'b' and inner == false and coroutine.status(thread) == 'dead')
local generator = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
assert(generator() + generator() + generator() == 6)
ok, problem = pcall(coroutine.wrap(function() error 'inside' end))
assert(not ok and problem:find 'inside')

assert(load 'return 1 + 1'() == 2 and load('return x', '=x', 't', { x = 7 })() == 7)
local pieces = { 'return ', '4', '2' }
assert(load(function() return table.remove(pieces, 1) end)() == 42)
local nothing, syntax = load 'not lua'
assert(nothing == nil and type(syntax) == 'string')

local list = { 3, 1, 2 }
table.sort(list)
assert(table.concat(list, ',') == '1,2,3')
table.sort(list, function(x, y) return x > y end)
table.insert(list, 1, 9)
table.insert(list, 0)
assert(table.concat(list, ',') == '9,3,2,1,0' and table.remove(list) == 0 and table.remove(list, 1) == 9)
assert(table.concat(table.move({ 1, 2 }, 1, 2, 3, { 5, 6 })) == '5612')
assert(select('#', table.unpack { 1, nil, 3 }) == 3 and table.pack(1, nil).n == 2)
assert(math.floor(2.5) == 2 and utf8.char(233) == 'é' and os.time() > 0 and os.date '%Y':match '^%d+$')
assert(debug.traceback('here'):find '^here')
local t = setmetatable({}, { __index = function(_, k) return k .. '!' end })
assert(t.x == 'x!' and getmetatable(t).__index)
assert(require 'kumo' == kumo and require 'string' == string and package.loaded.kumo == kumo)
