-- What events are given: addresses, the connection's metadata, the message.
--
-- They are tables of Lua. A connection and a message are known to Python by an identifier, which
-- is good for the event it was made for and for no other.

local host, box = ...
local answer, fail = box.answer, box.fail
local objects = {}

local Address = { __name = 'EnvelopeAddress' }
Address.__index = Address

function Address.__tostring(self) return self.email end

function Address.__eq(a, b) return a.email == b.email end

-- `domain` is folded: a rule must not be got round by capitals.
function objects.address(email, user, domain)
  return setmetatable({ email = email, user = user, domain = domain }, Address)
end

local ID = {}

local Connection = { __name = 'ConnectionMetaData' }
Connection.__index = Connection

function Connection:get_meta(name) return answer(host.get_meta(self[ID], name)) end

function Connection:set_meta(name, value) answer(host.set_meta(self[ID], name, value)) end

function objects.connection(id) return setmetatable({ [ID] = id }, Connection) end

-- The headers that hold addresses, each a list of them; a single one is asked for its parts.
local Addresses = { __name = 'HeaderAddressList' }

function Addresses.__index(self, name)
  local first = rawget(self, 1)
  if name == 'list' then
    return self
  elseif first and (name == 'user' or name == 'domain' or name == 'email' or name == 'name') then
    if #self > 1 then
      fail 'the header has more than one address: use .list'
    end
    return first[name]
  end
end

function Addresses.__tostring(self)
  local emails = {}
  for index, each in ipairs(self) do
    emails[index] = each.email
  end
  return table.concat(emails, ', ')
end

local Message = { __name = 'Message' }
local methods = {}

local function message(name, ...) return answer(host.message(name, ...)) end

for _, name in ipairs {
  'id', 'get_meta', 'set_meta', 'get_data', 'set_data', 'get_first_named_header_value',
  'get_all_named_header_values', 'get_all_headers', 'prepend_header', 'append_header',
  'remove_all_named_headers', 'remove_x_headers', 'import_x_headers',
} do
  methods[name] = function(self, ...) return message(name, self[ID], ...) end
end

local function text_of(address)
  if type(address) == 'table' and address.email then
    return address.email
  end
  return address
end

function methods:set_sender(address) message('set_sender', self[ID], text_of(address)) end

function methods:set_recipient(address)
  if type(address) == 'table' and not address.email then
    local texts = {}
    for index, each in ipairs(address) do
      texts[index] = text_of(each)
    end
    address = texts
  end
  message('set_recipient', self[ID], text_of(address))
end

function methods:sender() return objects.address(message('sender', self[ID])) end

function methods:recipient_list()
  local list = message('recipients', self[ID])
  for index, each in ipairs(list) do
    list[index] = objects.address(each.email, each.user, each.domain)
  end
  return list
end

function methods:recipient()
  local list = self:recipient_list()
  if #list == 1 then
    return list[1]
  end
  return list
end

function methods:get_address_header(name)
  local list = message('addresses', self[ID], name)
  return list and setmetatable(list, Addresses)
end

function methods:from_header() return self:get_address_header 'From' end

function methods:to_header() return self:get_address_header 'To' end

-- What is about sending, which is not the policy's here.
for _, name in ipairs {
  'add_authentication_results', 'append_text_html', 'append_text_plain', 'arc_seal',
  'check_fix_conformance', 'dkim_sign', 'import_scheduling_header', 'save', 'set_due',
  'set_force_sync', 'set_scheduling', 'shrink', 'shrink_data',
} do
  methods[name] = function() objects.note('message:' .. name) end
end

function Message.__index(_, name)
  return methods[name] or function() fail('message:' .. tostring(name) .. ' is not known here') end
end

function objects.message(id) return setmetatable({ [ID] = id }, Message) end

return objects
