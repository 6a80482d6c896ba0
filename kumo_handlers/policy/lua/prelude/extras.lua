-- The parts of the kumo module that need nothing but Lua: texts, maps, memoize.

local host, box = ...
local answer, fail, strings = box.answer, box.fail, box.strings
local byte, find, sub = string.byte, strings.find, string.sub
local extras = {}

-- string.* as KumoMTA extends it -------------------------------------------------------------

local function text(value)
  if type(value) ~= 'string' then
    fail('a text is wanted, got a ' .. type(value))
  end
  return value
end

-- The parts between separators; no more than `most` of them.
local function parts(whole, separator, most)
  text(whole)
  if text(separator) == '' then
    fail 'the separator is empty'
  end
  local list, at = {}, 1
  while #list + 1 < (most or math.huge) do
    local first, last = find(whole, separator, at, true)
    if not first then
      break
    end
    list[#list + 1] = sub(whole, at, first - 1)
    at = last + 1
  end
  list[#list + 1] = sub(whole, at)
  return list
end

local function turned(list)
  local from, to = 1, #list
  while from < to do
    list[from], list[to] = list[to], list[from]
    from, to = from + 1, to - 1
  end
  return list
end

function strings.split(whole, separator) return parts(whole, separator) end

function strings.splitn(whole, most, separator) return parts(whole, separator, most) end

function strings.rsplit(whole, separator) return turned(parts(whole, separator)) end

function strings.rsplitn(whole, most, separator)
  local list = {}
  for index, part in ipairs(parts(string.reverse(text(whole)), string.reverse(text(separator)), most)) do
    list[index] = string.reverse(part)
  end
  return list
end

local function is_blank(c) return c ~= nil and (c == 32 or (c >= 9 and c <= 13)) end

function strings.split_whitespace(whole)
  local list, start = {}, nil
  for at = 1, #text(whole) + 1 do
    local c = byte(whole, at)
    if c == nil or is_blank(c) then
      if start then
        list[#list + 1] = sub(whole, start, at - 1)
      end
      start = nil
    else
      start = start or at
    end
  end
  return list
end
strings.split_ascii_whitespace = strings.split_whitespace

function strings.trim_start(whole)
  local at = 1
  while is_blank(byte(text(whole), at)) do
    at = at + 1
  end
  return sub(whole, at)
end

function strings.trim_end(whole)
  local at = #text(whole)
  while at > 0 and is_blank(byte(whole, at)) do
    at = at - 1
  end
  return sub(whole, 1, at)
end

function strings.trim(whole) return strings.trim_start(strings.trim_end(whole)) end

function strings.starts_with(whole, start) return sub(text(whole), 1, #text(start)) == start end

function strings.ends_with(whole, ending)
  return text(ending) == '' or sub(text(whole), -#ending) == ending
end

function strings.replace(whole, old, new) return table.concat(parts(whole, old), text(new)) end

function strings.replacen(whole, old, new, most)
  return table.concat(parts(whole, old, most + 1), text(new))
end

-- Maps ---------------------------------------------------------------------------------------

local function seeded(map, seed)
  for key, value in pairs(seed or {}) do
    map[key] = value
  end
  return map
end

-- Exact names before wildcards, the longest wildcard before shorter ones.
function extras.domain_map(seed)
  local names = {}
  local map = {}
  function map.__index(_, name)
    if type(name) ~= 'string' then
      return nil
    end
    name = string.lower(name)
    local value = names[name]
    local dot = find(name, '.', 1, true)
    while value == nil and dot do
      value = names['*' .. sub(name, dot)]
      dot = find(name, '.', dot + 1, true)
    end
    if value == nil then
      return names['*']
    end
    return value
  end
  function map.__newindex(_, name, value) names[string.lower(text(name))] = value end
  return seeded(setmetatable({}, map), seed)
end

-- By the bits of an address: the longest prefix that has a value.
function extras.cidr_map(seed)
  local prefixes, lengths = {}, {}
  local map = {}
  function map.__index(_, address)
    local bits = type(address) == 'string' and answer(host.bits(address, false))
    if not bits then
      return nil
    end
    for _, length in ipairs(lengths) do
      local value = prefixes[sub(bits, 1, length)]
      if length <= #bits and value ~= nil then
        return value
      end
    end
  end
  function map.__newindex(_, block, value)
    local bits = answer(host.bits(text(block), true))
    if prefixes[bits] == nil then
      lengths[#lengths + 1] = #bits
      table.sort(lengths, function(a, b) return a > b end)
    end
    prefixes[bits] = value
  end
  return seeded(setmetatable({}, map), seed)
end

-- Memoize ------------------------------------------------------------------------------------

local function key_of(value, depth)
  local kind = type(value)
  if kind == 'table' and depth < 8 then
    local keys = {}
    for name, each in pairs(value) do
      keys[#keys + 1] = key_of(name, depth + 1) .. '=' .. key_of(each, depth + 1)
    end
    table.sort(keys)
    return '{' .. table.concat(keys, ',') .. '}'
  elseif kind == 'function' or kind == 'thread' or kind == 'table' then
    fail('a ' .. kind .. ' cannot be remembered by kumo.memoize')
  end
  local shown = tostring(value)
  return kind .. #shown .. ':' .. shown
end

function extras.memoize(f, params)
  if type(f) ~= 'function' or type(params) ~= 'table' then
    fail 'kumo.memoize takes a function and a table of name, ttl and capacity'
  end
  local ttl = answer(host.seconds(params.ttl))
  local capacity = math.tointeger(params.capacity)
  if not capacity or capacity < 1 then
    fail 'kumo.memoize: capacity is a whole number above 0'
  end
  local known, order, oldest = {}, {}, 1
  local function remember(key, ...)
    local newest = #order + 1
    if known[key] == nil then
      order[newest] = key
      if newest - oldest >= capacity then
        known[order[oldest]], order[oldest] = nil, false
        oldest = oldest + 1
      end
      if oldest > capacity * 2 + 64 then -- what is forgotten must not be kept in the order
        order = table.move(order, oldest, #order, 1, {})
        oldest = 1
      end
    end
    known[key] = { until_ = host.clock() + ttl, ... }
    return ...
  end
  return function(...)
    local key = key_of({ ... }, 0)
    local found = known[key]
    if found and found.until_ > host.clock() then
      return table.unpack(found)
    end
    return remember(key, f(...))
  end
end

return extras
