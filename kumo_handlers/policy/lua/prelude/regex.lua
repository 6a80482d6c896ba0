-- kumo.regex: regular expressions in the manner of Perl, on the counted matcher.
--
-- Alternatives are tried from the left, as Rust's and Perl's engines do. A character is a byte;
-- classes and (?i) know ASCII.

local matching = ...
local regex = {}

local Parser = {}
Parser.__index = Parser

local function fail(self, what)
  error(string.format('regex %q: %s at %d', self.source, what, self.at), 0)
end

function Parser:peek(length) return self.source:sub(self.at, self.at + (length or 1) - 1) end

function Parser:skip(text)
  if self:peek(#text) == text then
    self.at = self.at + #text
    return true
  end
  return false
end

function Parser:take(pattern)
  local found = string.match(self.source, '^' .. pattern, self.at)
  if found then
    self.at = self.at + #found
  end
  return found
end

local function range(set, first, last)
  for c = first, last do
    set[c] = true
  end
end

local function class(pattern, negated)
  local set = {}
  for c = 0, 255 do
    local is_in = string.find(string.char(c), '^' .. pattern) ~= nil and c < 128
    set[c] = is_in ~= (negated or false) or nil
  end
  return set
end

local CLASSES = {
  d = class '%d', D = class('%d', true),
  s = class '%s', S = class('%s', true),
  w = class '[%w_]', W = class('[%w_]', true),
}
local POSIX = {}
for name, pattern in pairs {
  alpha = '%a', digit = '%d', alnum = '%w', lower = '%l', upper = '%u', space = '%s',
  punct = '%p', xdigit = '%x', word = '[%w_]', cntrl = '%c', graph = '%g',
} do
  POSIX[name] = class(pattern)
end
local CONTROL = { n = 10, r = 13, t = 9, f = 12, v = 11, a = 7, e = 27 }

local function folded(set)
  for upper = 65, 90 do
    local lower = upper + 32
    local either = set[upper] or set[lower] or nil
    set[upper], set[lower] = either, either
  end
  return set
end

-- After a backslash: a class, or the byte that is meant.
function Parser:escape()
  local c = self:take '.'
  if c == nil then
    fail(self, 'nothing after the backslash')
  elseif CLASSES[c] then
    return CLASSES[c]
  elseif CONTROL[c] then
    return nil, CONTROL[c]
  elseif c == 'x' then
    local hex = self:take '%x%x' or self:take '{%x+}' or fail(self, 'no number after \\x')
    return nil, tonumber(hex:match '%x+', 16)
  elseif c:find '%w' then
    fail(self, 'unknown escape \\' .. c)
  end
  return nil, c:byte()
end

function Parser:member()
  if self:skip '[:' then
    local is_negated = self:skip '^'
    local name = self:take '%a+'
    if not (POSIX[name] and self:skip ':]') then
      fail(self, 'unknown class')
    end
    local set = POSIX[name]
    if is_negated then
      local all = {}
      for c = 0, 255 do
        all[c] = not set[c] or nil
      end
      set = all
    end
    return set
  elseif self:skip '\\' then
    if self:skip 'b' then
      return nil, 8
    end
    return self:escape()
  end
  return nil, self:take('.'):byte()
end

function Parser:set()
  local set, is_negated, is_first = {}, self:skip '^', true
  while is_first or self:peek() ~= ']' do
    if self.at > #self.source then
      fail(self, '[ without ]')
    end
    is_first = false
    local members, c = self:member()
    if members then
      for each in pairs(members) do
        set[each] = true
      end
    elseif self:peek() == '-' and self:peek(2) ~= '-]' then
      self.at = self.at + 1
      local _, last = self:member()
      if last == nil or last < c then
        fail(self, 'bad range')
      end
      range(set, c, last)
    else
      set[c] = true
    end
  end
  self:skip ']'
  if self.flags.i then
    folded(set)
  end
  if is_negated then
    local all = {}
    for c = 0, 255 do
      all[c] = not set[c] or nil
    end
    return all
  end
  return set
end

local function is_word(text, at)
  local c = at >= 1 and text:byte(at)
  return c and CLASSES.w[c] or false
end

local function at_start(_, at) return at == 1 end
local function at_end(text, at) return at == #text + 1 end
local function at_line_start(text, at) return at == 1 or text:byte(at - 1) == 10 end
local function at_line_end(text, at) return at == #text + 1 or text:byte(at) == 10 end
local function at_boundary(text, at) return is_word(text, at - 1) ~= is_word(text, at) end
local function inside(text, at) return not at_boundary(text, at) end

local PLACES = { b = at_boundary, B = inside, A = at_start, z = at_end }

function Parser:flagged(letters)
  local on, flags = true, setmetatable({}, { __index = self.flags })
  for letter in letters:gmatch '.' do
    if letter == '-' then
      on = false
    elseif not ('imsx'):find(letter, 1, true) then
      fail(self, 'unknown flag ' .. letter)
    else
      flags[letter] = on
    end
  end
  return flags
end

function Parser:close(node)
  if not self:skip ')' then
    fail(self, '( without )')
  end
  return node
end

function Parser:captured(name)
  self.count = self.count + 1
  local index = self.count
  if name then
    self.names[name] = index
  end
  return matching.capture(index, self:close(self:alternatives()))
end

function Parser:group()
  local outer = self.flags
  local node
  if not self:skip '?' then
    node = self:captured()
  elseif self:skip '=' then
    node = matching.ahead(self:close(self:alternatives()), true)
  elseif self:skip '!' then
    node = matching.ahead(self:close(self:alternatives()), false)
  elseif self:skip '>' then
    node = matching.alone(self:close(self:alternatives()))
  elseif self:skip 'P<' or (self:peek(2):find '^<[%a_]' and self:skip '<') then
    local name = self:take '[%w_]+'
    if not (name and self:skip '>') then
      fail(self, 'bad group name')
    end
    node = self:captured(name)
  else
    local letters = self:take '[%a%-]*'
    local flags = self:flagged(letters)
    if self:skip ')' then
      self.flags = flags -- for the rest of the enclosing group
      return matching.empty
    elseif not self:skip ':' then
      fail(self, 'unknown group')
    end
    self.flags = flags
    node = self:close(self:alternatives())
  end
  self.flags = outer
  return node
end

local function accepting(set)
  return function(c) return set[c] end
end

-- One item: a set of bytes where it is a single character, else a node.
function Parser:atom()
  if self:skip '(' then
    return nil, self:group()
  elseif self:skip '[' then
    return self:set()
  elseif self:skip '.' then
    local set = {}
    range(set, 0, 255)
    set[10] = self.flags.s or nil
    return set
  elseif self:skip '^' then
    return nil, matching.place(self.flags.m and at_line_start or at_start)
  elseif self:skip '$' then
    return nil, matching.place(self.flags.m and at_line_end or at_end)
  elseif self:skip '\\' then
    local place = PLACES[self:peek()]
    if place then
      self.at = self.at + 1
      return nil, matching.place(place)
    end
    local back = self:take '[1-9]'
    if back then
      return nil, matching.again(tonumber(back))
    end
    local set, c = self:escape()
    set = set or { [c] = true }
    return self.flags.i and c and folded(set) or set
  elseif self:peek():find '[*+?{]' and not self:peek(2):find '^{[^%d]' then
    fail(self, 'nothing to repeat')
  end
  local set = { [self:take('.'):byte()] = true }
  return self.flags.i and folded(set) or set
end

function Parser:quantity()
  local least, most
  if self:skip '*' then
    least, most = 0, math.huge
  elseif self:skip '+' then
    least, most = 1, math.huge
  elseif self:skip '?' then
    least, most = 0, 1
  else
    local counts = self:take '{%d+,?%d*}'
    if not counts then
      return nil
    end
    local first, comma, last = counts:match '{(%d+)(,?)(%d*)}'
    least = tonumber(first)
    most = comma == '' and least or tonumber(last) or math.huge
    if least > 1000 or (most < math.huge and most > 1000) or most < least then
      fail(self, 'bad repetition')
    end
  end
  return least, most, self:skip '?' and 'lazy' or self:skip '+' and 'possessive' or 'greedy'
end

function Parser:blanks()
  while self.flags.x and (self:take '%s+' or self:take '#[^\n]*') do
  end
end

function Parser:sequence()
  local nodes = {}
  self:blanks()
  while self.at <= #self.source and not self:peek():find '[|)]' do
    local set, node = self:atom()
    self:blanks()
    local least, most, how = self:quantity()
    if set and least then
      node = matching.run(accepting(set), least, most, how)
    elseif set then
      node = matching.one(accepting(set))
    elseif least then
      node = matching.several(node, least, most, how)
    end
    nodes[#nodes + 1] = node
    self:blanks()
  end
  return matching.sequence(nodes)
end

function Parser:alternatives()
  local choices = {}
  repeat
    choices[#choices + 1] = self:sequence()
  until not self:skip '|'
  return matching.choice(choices)
end

local function compile(source)
  local parser = setmetatable({ source = source, at = 1, count = 0, names = {}, flags = {} }, Parser)
  local node = parser:alternatives()
  if parser.at <= #source then
    fail(parser, ') without (')
  end
  return { node = node, count = parser.count, names = parser.names }
end

local Regex = {}
Regex.__index = Regex
Regex.__name = 'Regex'
local programs = setmetatable({}, { __mode = 'k' })

function Regex.__tostring(self) return programs[self].source end

local function text_of(self, text)
  local program = programs[self]
  if not program then
    error('call it with a colon: regex:method(text)', 3)
  elseif type(text) ~= 'string' then
    error('a text is wanted, got a ' .. type(text), 3)
  end
  return program
end

local function each(program, text)
  local at, last_end = 1, nil
  return function()
    while at <= #text + 1 do
      local first, last, captures = matching.find(program, text, at)
      if not first then
        return nil
      end
      at = last >= first and last + 1 or first + 1
      if last >= first or first ~= last_end then
        last_end = last + 1
        return first, last, captures
      end
    end
  end
end

function Regex:is_match(text) return matching.find(text_of(self, text), text, 1) ~= nil end

function Regex:find(text)
  local first, last = matching.find(text_of(self, text), text, 1)
  return first and text:sub(first, last) or nil
end

function Regex:find_all(text)
  local found = {}
  for first, last in each(text_of(self, text), text) do
    found[#found + 1] = text:sub(first, last)
  end
  return found
end

local function by_name(program, text, first, last, captures)
  local found = { [0] = text:sub(first, last) }
  for index = 1, program.count do
    local known = captures[index]
    found[index] = known and text:sub(known[1], known[2]) or nil
  end
  for name, index in pairs(program.names) do
    found[name] = found[index]
  end
  return found
end

function Regex:captures(text)
  local program = text_of(self, text)
  local first, last, captures = matching.find(program, text, 1)
  return first and by_name(program, text, first, last, captures) or nil
end

function Regex:split(text)
  local parts, done = {}, 1
  for first, last in each(text_of(self, text), text) do
    parts[#parts + 1] = text:sub(done, first - 1)
    done = last + 1
  end
  parts[#parts + 1] = text:sub(done)
  return parts
end

function Regex:replace(text, with)
  local program, pieces, done = text_of(self, text), {}, 1
  for first, last, captures in each(program, text) do
    local found = by_name(program, text, first, last, captures)
    pieces[#pieces + 1] = text:sub(done, first - 1)
    pieces[#pieces + 1] = with:gsub('%$({?)([%w_]+)}?', function(_, name)
      return found[tonumber(name) or name] or ''
    end)
    done = last + 1
  end
  pieces[#pieces + 1] = text:sub(done)
  return table.concat(pieces)
end

function regex.compile(source)
  if type(source) ~= 'string' then
    error('a pattern is wanted, got a ' .. type(source), 2)
  end
  local program = compile(source)
  program.source = source
  local made = setmetatable({}, Regex)
  programs[made] = program
  return made
end

function regex.escape(text) return (text:gsub('[%^%$%.%*%+%?%(%)%[%]{}|\\]', '\\%0')) end

return regex
