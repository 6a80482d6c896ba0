-- A matcher for patterns that were taken to pieces: of Lua's own, and of regular expressions.
--
-- Lua's patterns are matched by C, where no instruction is counted, and a hostile text can keep
-- them busy for years. So this one is written in Lua: slow, counted, and stopped like the rest.
--
-- A node is a function (text, at, captures, go_on): it matches at `at` and calls go_on(at) with
-- where it ended; what go_on returns it returns, false where nothing led to an end.

local matching = {}

function matching.one(accepts)
  return function(text, at, _, go_on)
    local byte = text:byte(at)
    return byte ~= nil and accepts(byte) and go_on(at + 1)
  end
end

function matching.empty(_, at, _, go_on) return go_on(at) end

function matching.sequence(nodes)
  if #nodes == 0 then
    return matching.empty
  end
  local node = nodes[#nodes]
  for index = #nodes - 1, 1, -1 do
    local first, rest = nodes[index], node
    node = function(text, at, captures, go_on)
      return first(text, at, captures, function(after) return rest(text, after, captures, go_on) end)
    end
  end
  return node
end

function matching.choice(nodes)
  if #nodes == 1 then
    return nodes[1]
  end
  return function(text, at, captures, go_on)
    for index = 1, #nodes do
      local found = nodes[index](text, at, captures, go_on)
      if found then
        return found
      end
    end
    return false
  end
end

-- A single character, repeated: no call for each, so a long text needs no deep stack.
function matching.run(accepts, least, most, how)
  return function(text, at, _, go_on)
    local last, count = at, 0
    if how == 'lazy' then
      while true do
        if count >= least then
          local found = go_on(last)
          if found then
            return found
          end
        end
        local byte = text:byte(last)
        if count >= most or byte == nil or not accepts(byte) then
          return false
        end
        last, count = last + 1, count + 1
      end
    end
    local byte = text:byte(last)
    while count < most and byte ~= nil and accepts(byte) do
      last, count = last + 1, count + 1
      byte = text:byte(last)
    end
    while count >= least do
      local found = go_on(last)
      if found or how == 'possessive' then
        return found
      end
      last, count = last - 1, count - 1
    end
    return false
  end
end

-- Anything repeated. An iteration that matched nothing ends it: it would be the same for ever.
function matching.several(node, least, most, how)
  local function again(text, at, captures, count, go_on)
    local function once_more()
      return count < most
        and node(text, at, captures, function(after)
          if after == at and count >= least then
            return false
          end
          return again(text, after, captures, count + 1, go_on)
        end)
    end
    if count < least then
      return once_more()
    elseif how == 'lazy' then
      return go_on(at) or once_more()
    end
    return once_more() or go_on(at)
  end
  if how == 'possessive' then
    return matching.alone(function(text, at, captures, go_on)
      return again(text, at, captures, 0, go_on)
    end)
  end
  return function(text, at, captures, go_on) return again(text, at, captures, 0, go_on) end
end

-- (?>...): once it matched, it is not tried in another way.
function matching.alone(node)
  return function(text, at, captures, go_on)
    local ended
    if not node(text, at, captures, function(after)
      ended = after
      return true
    end) then
      return false
    end
    return go_on(ended)
  end
end

-- (?=...) and (?!...)
function matching.ahead(node, wanted)
  return function(text, at, captures, go_on)
    local there = node(text, at, captures, function() return true end)
    return (not not there) == wanted and go_on(at)
  end
end

-- A condition on the two sides of a place.
function matching.place(holds)
  return function(text, at, _, go_on) return holds(text, at) and go_on(at) end
end

function matching.capture(index, node)
  return function(text, at, captures, go_on)
    local before = captures[index]
    local found = node(text, at, captures, function(after)
      local inner = captures[index]
      captures[index] = { at, after - 1 }
      local ended = go_on(after)
      if not ended then
        captures[index] = inner
      end
      return ended
    end)
    if not found then
      captures[index] = before
    end
    return found
  end
end

function matching.again(index)
  return function(text, at, captures, go_on)
    local known = captures[index]
    if not known then
      return false
    end
    local part = text:sub(known[1], known[2])
    return text:sub(at, at + #part - 1) == part and go_on(at + #part)
  end
end

-- Start, end and captures of the first match from `at` on; nil where there is none.
function matching.find(program, text, at)
  repeat
    local captures = {}
    local ended = program.node(text, at, captures, function(after) return after end)
    if ended then
      return at, ended - 1, captures
    end
    at = at + 1
  until program.anchored or at > #text + 1
  return nil
end

return matching
