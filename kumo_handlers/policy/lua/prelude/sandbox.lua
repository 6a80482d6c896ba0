-- The walls: the environment in which a policy's chunks run, and the meter that stops them.
--
-- A policy sees what stands in `env` and nothing else. Whatever could reach the system, forge
-- code, or run on where no instruction is counted, is left out or wrapped here.
--
-- Counting: a hook runs after every STEP instructions of a coroutine, the main one included, and
-- takes STEP from what the event has left. When nothing is left, `killed` is set, and from then
-- on every way to swallow the error (pcall, xpcall, coroutines) raises it anew.

local host, limits = ...

local assert, error, getmetatable, ipairs, next = assert, error, getmetatable, ipairs, next
local pairs, pcall, rawequal, rawget, rawlen = pairs, pcall, rawequal, rawget, rawlen
local rawset, select, setmetatable, tonumber = rawset, select, setmetatable, tonumber
local tostring, type, xpcall, load = tostring, type, xpcall, load
local sethook, getinfo, traceback = debug.sethook, debug.getinfo, debug.traceback
local getmt = debug.getmetatable
local sub = string.sub
local cpu = host.cpu

local STEP = 1000
-- A new coroutine costs a step at once: many short ones must not go uncounted.
local KILLED = setmetatable({}, { __tostring = function() return 'runs for too long' end })

local killed, left, deadline = false, 0, 0

local function check_time()
  if killed or cpu() > deadline then
    killed = true
    error(KILLED, 0)
  end
end

local function spend(steps)
  left = left - steps
  if left < 0 then
    killed = true
    error(KILLED, 0)
  end
  check_time()
end

local function hook() spend(STEP) end

-- What comes back from a protected call: never a swallowed kill, never an object of Python's.
local function settled(ok, ...)
  if ok then
    return true, ...
  end
  if killed then
    error(KILLED, 0)
  end
  local failure = ...
  if type(failure) == 'userdata' then
    failure = tostring(failure)
  end
  return false, failure
end

local safe = {}

function safe.pcall(f, ...) return settled(pcall(f, ...)) end

function safe.xpcall(f, handle, ...)
  -- The handler runs before the stack is unwound, where no hook counts.
  local failure
  local function note(e)
    failure = e
    return e
  end
  local function finish(ok, ...)
    if ok then
      return true, ...
    end
    return false, handle(failure)
  end
  return finish(settled(xpcall(f, note, ...)))
end

function safe.setmetatable(object, metatable)
  -- A finalizer runs when the collector likes, uncounted and outside of any event.
  if type(metatable) == 'table' and rawget(metatable, '__gc') ~= nil then
    error('__gc is not available here', 2)
  end
  return setmetatable(object, metatable)
end

local co = {}
for name in pairs { isyieldable = 0, running = 0, status = 0, yield = 0 } do
  co[name] = coroutine[name]
end

function co.create(f)
  spend(STEP)
  local thread = coroutine.create(f)
  sethook(thread, hook, '', STEP)
  return thread
end

function co.resume(thread, ...) return settled(coroutine.resume(thread, ...)) end

function co.close(thread) return settled(coroutine.close(thread)) end

local function unwrapped(thread, ok, ...)
  if ok then
    return ...
  end
  coroutine.close(thread)
  error(..., 0)
end

function co.wrap(f)
  local thread = co.create(f)
  return function(...) return unwrapped(thread, settled(coroutine.resume(thread, ...))) end
end

-- Functions of C that loop as often as they are told: told too often, they are refused.
local MOST = 1000000

local function bounded(count)
  if type(count) == 'number' and count > MOST then
    error('more than a million elements', 3)
  end
end

local function plain(list)
  local metatable = getmt(list)
  if type(metatable) == 'table' and rawget(metatable, '__len') ~= nil then
    error('a table with __len is not taken here', 3)
  end
end

local tables = { pack = table.pack }

function tables.concat(list, separator, i, j)
  plain(list)
  bounded((tonumber(j) or 0) - (tonumber(i) or 1))
  return table.concat(list, separator, i, j)
end

function tables.insert(list, ...)
  plain(list)
  return table.insert(list, ...)
end

function tables.remove(list, ...)
  plain(list)
  return table.remove(list, ...)
end

function tables.move(from, first, last, ...)
  bounded((tonumber(last) or 0) - (tonumber(first) or 1))
  return table.move(from, first, last, ...)
end

function tables.sort(list, before)
  plain(list)
  table.sort(list, before)
  check_time()
end

function tables.unpack(list, i, j)
  if j == nil then
    plain(list)
  end
  return table.unpack(list, i, j)
end

local strings = {}
for _, name in ipairs {
  'byte', 'char', 'format', 'len', 'lower', 'pack', 'packsize', 'reverse', 'sub', 'unpack', 'upper',
} do
  strings[name] = string[name]
end

function strings.rep(text, count, separator)
  if #tostring(text) + #tostring(separator or '') == 0 then
    return '' -- it would be put together as often as asked, to no end
  end
  local made = string.rep(text, count, separator)
  if #made > MOST then
    check_time()
  end
  return made
end

-- Texts are methods of themselves: s:upper(). Theirs must be the guarded ones.
local of_strings = getmt ''
of_strings.__index = strings
of_strings.__metatable = false

local function copy(library)
  local copied = {}
  for name, value in pairs(library) do
    copied[name] = value
  end
  return copied
end

local env = {
  _VERSION = _VERSION,
  assert = assert, error = error, getmetatable = getmetatable, ipairs = ipairs, next = next,
  pairs = pairs, rawequal = rawequal, rawget = rawget, rawlen = rawlen, rawset = rawset,
  select = select, tonumber = tonumber, tostring = tostring, type = type,
  pcall = safe.pcall, xpcall = safe.xpcall, setmetatable = safe.setmetatable,
  coroutine = co, table = tables, string = strings, math = copy(math), utf8 = copy(utf8),
  os = { clock = os.clock, date = os.date, difftime = os.difftime, time = os.time },
  debug = {
    traceback = function(text) return type(text) == 'thread' and '' or traceback(text, 2) end,
  },
}
env._G = env

function env.collectgarbage(what)
  return what == 'count' and collectgarbage 'count' or 0
end

function env.load(chunk, name, _, given)
  -- Source only: what is made as bytecode can leave every wall.
  if type(chunk) == 'function' then
    local pieces, piece = {}, chunk()
    while piece ~= nil and piece ~= '' do
      pieces[#pieces + 1] = piece
      piece = chunk()
    end
    chunk = table.concat(pieces)
  end
  name = type(name) == 'string' and name or '=(load)'
  return load(chunk, name, 't', given == nil and env or given)
end

local function name_of_script(level)
  local frame = getinfo(level, 'Sl')
  while frame do
    if sub(frame.source, 1, 2) ~= '@<' and frame.currentline > 0 then
      return frame.short_src, frame.currentline
    end
    level = level + 1
    frame = getinfo(level, 'Sl')
  end
end

-- Where the policy is now: the nearest of its lines that the call came from.
local function where() return name_of_script(3) end

-- As `where`, for a function that the policy calls itself; nil where that was a tail call, by
-- which Lua forgets the line.
local function exactly()
  if not getinfo(2, 't').istailcall then
    local frame = getinfo(3, 'Sl')
    if frame and frame.currentline > 0 and sub(frame.source, 1, 2) ~= '@<' then
      return frame.short_src, frame.currentline
    end
  end
end

-- An error that says where the policy was.
local function fail(text)
  local file, line = name_of_script(3)
  error(file and file .. ':' .. line .. ': ' .. text or text, 0)
end

-- What one of Python's functions answered. They never raise: they say what was wrong.
local function answer(ok, ...)
  if ok then
    return ...
  end
  local text, problem = ...
  if problem then
    error(setmetatable({ text = text, problem = problem }, { __tostring = function() return text end }), 0)
  end
  fail(text)
end

-- The handler that an event calls.
local running

local function run(handler, ...)
  running = handler
  return handler(...)
end

-- Where that handler begins; no line for the chunk of a file.
local function beginning()
  if running then
    local at = getinfo(running, 'S')
    return at.short_src, at.linedefined > 0 and at.linedefined or nil
  end
end

-- Whatever is raised, with where the policy was; ours say that themselves.
local function give_up(e)
  if not killed and type(e) == 'table' and (rawget(e, 'reply') or rawget(e, 'problem')) then
    return e
  end
  local file, line = name_of_script(3)
  if not file then -- only a tail call was left of the policy
    file, line = beginning()
  end
  return { said = killed and KILLED or e, file = file, line = line }
end

-- An error as values for Python: what it is, and what it says.
local function described(e)
  if type(e) ~= 'table' then
    return 'error', tostring(e), beginning() -- out of memory: Lua does not ask where that was
  elseif e.reply then
    return 'reply', e.code, e.text, e.how, e.file, e.line
  elseif e.problem then
    return 'problem', e.problem
  end
  return 'error', tostring(e.said), e.file, e.line
end

local function said(ok, ...)
  if not ok then
    local is_known, file, line = pcall(beginning)
    return false, 'error', tostring(KILLED), is_known and file or nil, line
  end
  return false, ...
end

local function result(ok, ...)
  if ok then
    return true, ...
  end
  -- what was raised may be a table of the policy's, with functions that run when it is looked at
  return said(pcall(described, (...)))
end

-- Begin an event: what it may spend. Everything that Python calls goes through here.
local function enter(steps, seconds, f, ...)
  killed, left, deadline, running = false, steps, cpu() + seconds, nil
  sethook(hook, '', STEP)
  return result(xpcall(f, give_up, ...))
end

-- The two for an event are the common case.
local STEPS, SECONDS = limits.steps, limits.seconds
local function event(f, ...)
  return enter(STEPS, SECONDS, f, ...)
end

return {
  env = env, enter = enter, event = event, where = where, exactly = exactly,
  answer = answer, fail = fail, run = run,
  check_time = check_time, spend = spend, strings = strings,
}
