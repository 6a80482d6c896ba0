-- counted and nothing else
assert(collectgarbage() == 0 and collectgarbage 'stop' == 0 and collectgarbage 'count' > 0)
error 'counted and nothing else'
