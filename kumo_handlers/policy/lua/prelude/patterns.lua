-- Lua's patterns with a bound: by C where that is certainly quick, else by our own matcher.

local box, matching = ...
local byte, sub, find, match, gmatch, gsub = string.byte, string.sub, string.find, string.match, string.gmatch, string.gsub
local strings, check_time = box.strings, box.check_time

-- C makes some hundred million steps a second. This many, at worst, it may make in one call.
local QUICK = 10000000
-- From this many on, the clock is looked at before each call.
local NOTICED = 100000
-- Texts without anything special are compared by the block, which is as much quicker.
local BLOCKS = 100

-- The most steps that C may need: each open-ended item may try each length at each place, each
-- optional one may be there or not, and each try may go through the whole pattern.
local function cost(text, pattern)
  if not find(pattern, '[%^%$%*%+%?%.%(%[%%%-]') then
    return (#text + 1) * #pattern / BLOCKS
  end
  local power, branches = byte(pattern, 1) == 94 and 0 or 1, 1
  for index = 1, #pattern do
    local c = byte(pattern, index)
    if c == 42 or c == 43 or c == 45 then -- * + -
      power = power + 1
    elseif c == 63 then -- ?
      branches = branches * 2
    elseif c == 37 and find(pattern, '^[b%d]', index + 1) then -- %b and %1
      power = power + 1
    end
  end
  return (#text + 1) ^ power * branches * #pattern
end

local sets = setmetatable({}, { __mode = 'v' })

-- What a single-character class accepts, worked out once: a table by byte.
local function set_of(class)
  local set = sets[class]
  if not set then
    set = {}
    for c = 0, 255 do
      set[c] = find(string.char(c), '^' .. class) ~= nil
    end
    sets[class] = set
  end
  return set
end

local function accepting(class)
  local set = set_of(class)
  return function(c) return set[c] end
end

local QUANTITY = {
  ['*'] = { 0, math.huge, 'greedy' },
  ['+'] = { 1, math.huge, 'greedy' },
  ['-'] = { 0, math.huge, 'lazy' },
  ['?'] = { 0, 1, 'greedy' },
}

local function never() return false end

local function balanced(open, close)
  return function(text, at, _, go_on)
    if byte(text, at) ~= open then
      return false
    end
    local depth, here = 1, at + 1
    while depth > 0 do
      local c = byte(text, here)
      if c == nil then
        return false
      elseif c == close then
        depth = depth - 1
      elseif c == open then
        depth = depth + 1
      end
      here = here + 1
    end
    return go_on(here)
  end
end

local function frontier(class)
  local set = set_of(class)
  return function(text, at, _, go_on)
    local before, here = at > 1 and byte(text, at - 1) or 0, byte(text, at) or 0
    return not set[before] and set[here] and go_on(at)
  end
end

-- The class that begins at `at`, and where it ends.
local function class_at(pattern, at)
  local c = sub(pattern, at, at)
  if c == '%' then
    return sub(pattern, at, at + 1), at + 2
  elseif c ~= '[' then
    -- a letter or digit behind a % would mean something else
    return c == '.' and '.' or find(c, '%w') and '[' .. c .. ']' or '%' .. c, at + 1
  end
  local here = at + 1
  if sub(pattern, here, here) == '^' then
    here = here + 1
  end
  repeat
    here = here + (sub(pattern, here, here) == '%' and 2 or 1)
  until sub(pattern, here, here) == ']' or here > #pattern
  return sub(pattern, at, here), here + 1
end

local function compile(pattern)
  find('', pattern) -- C says what is malformed
  local at, count, open, positions = 1, 0, {}, {}
  local stack, nodes = {}, {}
  local anchored = byte(pattern, 1) == 94
  if anchored then
    at = 2
  end
  while at <= #pattern do
    local c, two = sub(pattern, at, at), sub(pattern, at, at + 1)
    if c == '(' then
      count = count + 1
      stack[#stack + 1], open[#open + 1] = nodes, count
      nodes = {}
      positions[count] = sub(pattern, at + 1, at + 1) == ')' -- `()` captures the place itself
      at = at + 1
    elseif c == ')' then
      local index = table.remove(open)
      local inner = nodes
      nodes = table.remove(stack)
      nodes[#nodes + 1] = matching.capture(index, matching.sequence(inner))
      at = at + 1
    elseif c == '$' and at == #pattern then
      nodes[#nodes + 1] = matching.place(function(text, here) return here == #text + 1 end)
      at = at + 1
    elseif two == '%b' then
      nodes[#nodes + 1] = balanced(byte(pattern, at + 2), byte(pattern, at + 3))
      at = at + 4
    elseif two == '%f' then
      local class, after = class_at(pattern, at + 2)
      nodes[#nodes + 1] = frontier(class)
      at = after
    elseif find(two, '^%%%d') then
      local index = tonumber(sub(two, 2))
      -- a captured place is no text that could come again
      nodes[#nodes + 1] = positions[index] and matching.place(never) or matching.again(index)
      at = at + 2
    else
      local class, after = class_at(pattern, at)
      local quantity = QUANTITY[sub(pattern, after, after)]
      if quantity then
        nodes[#nodes + 1] = matching.run(accepting(class), quantity[1], quantity[2], quantity[3])
        at = after + 1
      else
        nodes[#nodes + 1] = matching.one(accepting(class))
        at = after
      end
    end
  end
  local node = matching.sequence(nodes)
  return { node = node, anchored = anchored, count = count, positions = positions }
end

local function values(program, text, first, last, captures)
  if program.count == 0 then
    return { sub(text, first, last) }
  end
  local found = {}
  for index = 1, program.count do
    local known = captures[index]
    if program.positions[index] then
      found[index] = known[1]
    else
      found[index] = sub(text, known[1], known[2])
    end
  end
  return found
end

local function start_of(text, init)
  init = math.tointeger(tonumber(init) or 1) or 1
  if init < 0 then
    init = math.max(#text + init + 1, 1)
  end
  return math.max(init, 1)
end

local function texts(text, pattern)
  if type(text) == 'number' then text = tostring(text) end
  if type(pattern) == 'number' then pattern = tostring(pattern) end
  return text, pattern
end

local function slow_find(text, pattern, init)
  local program, at = compile(pattern), start_of(text, init)
  if at > #text + 1 then
    return nil
  end
  local first, last, captures = matching.find(program, text, at)
  return first, last, program, captures
end

local function is_for_c(text, pattern)
  if type(text) ~= 'string' or type(pattern) ~= 'string' then
    return true
  end
  local steps = cost(text, pattern)
  if steps > NOTICED then
    check_time()
  end
  return steps <= QUICK
end

local function is_long(text, pattern)
  return (#text + 1) * #pattern / BLOCKS > QUICK
end

function strings.find(text, pattern, init, is_plain)
  text, pattern = texts(text, pattern)
  if is_plain and type(text) == 'string' and type(pattern) == 'string' then
    pattern = is_long(text, pattern) and gsub(pattern, '%W', '%%%0') or pattern
  end
  if is_plain and not is_long(text, pattern) or is_for_c(text, pattern) then
    return find(text, pattern, init, is_plain)
  end
  local first, last, program, captures = slow_find(text, pattern, init)
  if not first then
    return nil
  elseif program.count == 0 then
    return first, last
  end
  return first, last, table.unpack(values(program, text, first, last, captures))
end

function strings.match(text, pattern, init)
  text, pattern = texts(text, pattern)
  if is_for_c(text, pattern) then
    return match(text, pattern, init)
  end
  local first, last, program, captures = slow_find(text, pattern, init)
  if not first then
    return nil
  end
  return table.unpack(values(program, text, first, last, captures))
end

-- Each match in turn, as gmatch and gsub see them: an empty one not where the last one ended.
local function each_match(text, program, init)
  local at, ended = start_of(text, init), nil
  return function()
    while at <= #text + 1 do
      local first, last, captures = matching.find(program, text, at)
      if not first then
        at = #text + 2
        return nil
      elseif last + 1 ~= ended then
        at, ended = last + 1, last + 1
        if program.anchored then
          at = #text + 2
        end
        return first, last, captures
      end
      at = first + 1
    end
  end
end

function strings.gmatch(text, pattern, init)
  text, pattern = texts(text, pattern)
  if is_for_c(text, pattern) then
    return gmatch(text, pattern, init)
  end
  local program = compile(pattern)
  if program.anchored then -- in gmatch ^ means itself
    program = compile('%' .. pattern)
  end
  local next_match = each_match(text, program, init)
  return function()
    local first, last, captures = next_match()
    if first then
      return table.unpack(values(program, text, first, last, captures))
    end
  end
end

local function filled(template, whole, found)
  return (gsub(template, '%%(.)', function(c)
    if c == '0' then
      return whole
    elseif find(c, '%d') then
      local value = found[tonumber(c)]
      if value == nil then
        error('invalid capture index %' .. c .. ' in replacement string', 0)
      end
      return tostring(value)
    elseif c ~= '%' then
      error("invalid use of '%' in replacement string", 0)
    end
  end))
end

local function replacement(with, whole, found)
  local value
  if type(with) == 'function' then
    value = with(table.unpack(found))
  elseif type(with) == 'table' then
    value = with[found[1]]
  else
    value = filled(tostring(with), whole, found)
  end
  if not value then
    return whole
  elseif type(value) ~= 'string' and type(value) ~= 'number' then
    error('invalid replacement value (a ' .. type(value) .. ')', 0)
  end
  return value
end

function strings.gsub(text, pattern, with, most)
  text, pattern = texts(text, pattern)
  if is_for_c(text, pattern) then
    return gsub(text, pattern, with, most)
  end
  local program = compile(pattern)
  local pieces, done, count = {}, 1, 0
  for first, last, captures in each_match(text, program) do
    if most and count >= most then
      break
    end
    count = count + 1
    local found = values(program, text, first, last, captures)
    pieces[#pieces + 1] = sub(text, done, first - 1)
    pieces[#pieces + 1] = replacement(with, sub(text, first, last), found)
    done = last + 1
  end
  pieces[#pieces + 1] = sub(text, done)
  return table.concat(pieces), count
end
