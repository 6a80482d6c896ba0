-- kumo.memoize: the same arguments are asked for once, up to a capacity
local calls = 0
local function work(...)
  calls = calls + 1
  return select('#', ...), ...
end
local quick = kumo.memoize(work, { name = 'quick', ttl = '5 minutes', capacity = 2 })

assert(select(2, quick('a', { 1, x = 'y' })) == 'a' and calls == 1)
assert(quick('a', { x = 'y', 1 }) == 2 and calls == 1)
assert(quick('a', { 1, x = 'z' }) == 2 and calls == 2)
assert(quick('1') == 1 and quick(1) == 1 and calls == 4)
quick('a', { 1, x = 'y' })
assert(calls == 5, 'the oldest was forgotten')
for index = 2, 1001 do
  quick(index)
end
assert(calls == 1005)

local brief = kumo.memoize(work, { name = 'brief', ttl = '1ms', capacity = 1 })
brief 'a'
local until_ = os.clock() + 0.005
while os.clock() < until_ do end
brief 'a'
assert(calls == 1007)
