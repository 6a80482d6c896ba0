-- The kumo module, `require`, and the events: what a policy of KumoMTA finds.

local host, box, objects, extras, regex = ...
local answer, fail, run, where, exactly, env = box.answer, box.fail, box.run, box.where, box.exactly, box.env
local getinfo = debug.getinfo

local kumo, loading = {}, true

-- What is KumoMTA's and not about this ---------------------------------------------------------

local noted = {}

-- Say once that something has no effect here, and where it stands.
function objects.note(name)
  if not noted[name] then
    noted[name] = true
    local file, line = where()
    host.note(name, file, line)
  end
end

local inert = {}

-- Stands for a thing that was set aside: it can be called, and asked for its parts.
local function set_aside(name)
  return setmetatable({}, {
    __name = name,
    __index = function(_, part)
      return set_aside(name .. '.' .. tostring(part))
    end,
    __call = function()
      objects.note(name)
      return set_aside(name .. '()')
    end,
    inert = inert,
  })
end

local function is_inert(value)
  local metatable = debug.getmetatable(value)
  return type(value) == 'table' and metatable ~= nil and rawget(metatable, 'inert') == inert
end

local function is_set_aside(name)
  local last = string.match(name, '[^.]+$')
  return host.aside[last] or host.aside[name] or string.find(last, '^configure_') or string.find(last, '^set_')
end

-- Fails when called, with its name: `if kumo.something then` is harmless.
local function unknown(name)
  if is_set_aside(name) then
    return set_aside(name)
  end
  return setmetatable({}, {
    __name = name,
    __index = function(_, part) return unknown(name .. '.' .. tostring(part)) end,
    __call = function() fail(name .. ' is not known here') end,
  })
end

local function module(name, known)
  return setmetatable(known, {
    __index = function(_, part) return unknown(name .. '.' .. tostring(part)) end,
  })
end

-- Events -------------------------------------------------------------------------------------

local handlers, several = {}, { pre_init = true, validate_config = true }

function kumo.on(event, handler)
  if type(event) ~= 'string' then
    fail 'kumo.on takes the name of an event, and a function'
  elseif not host.events[event] then
    objects.note('event ' .. event)
    return
  elseif not loading then
    fail('kumo.on belongs to the top level of a policy, not into an event')
  elseif is_inert(handler) then
    fail(event .. ' has a handler that was set aside')
  elseif type(handler) ~= 'function' then
    fail('the handler of ' .. event .. ' is a ' .. type(handler) .. ', not a function')
  end
  local known = handlers[event]
  if known and not several[event] then
    local at = getinfo(known[1], 'S')
    fail(event .. ' event already has a handler defined at ' .. at.short_src .. ':' .. at.linedefined)
  end
  known = known or {}
  known[#known + 1] = handler
  handlers[event] = known
end

local function stop(how, code, text)
  if math.type(code) ~= 'integer' or code < 400 or code > 599 then
    fail 'the code of a refusal is a whole number from 400 to 599'
  elseif type(text) ~= 'string' then
    fail 'the text of a refusal is a string'
  end
  local file, line = where()
  error(setmetatable({ reply = true, code = code, text = text, how = how, file = file, line = line }, {
    __tostring = function() return code .. ' ' .. text end,
  }), 0)
end

function kumo.reject(code, text) stop('', code, text) end

local ENDS = { ForceDisconnect = true, FollowWith421 = true, If421 = true }

function kumo.disconnect(code, text, how)
  how = how == nil and 'ForceDisconnect' or how
  if not ENDS[how] then
    fail 'the third argument of kumo.disconnect is ForceDisconnect, FollowWith421 or If421'
  end
  stop(how, code, text)
end

-- Listeners and domains ------------------------------------------------------------------------

function kumo.start_esmtp_listener(params)
  if not loading then
    fail 'kumo.start_esmtp_listener belongs into init, or to the top level'
  end
  answer(host.start_listener(params, where()))
end

local Domain = { __name = 'ListenerDomain', __index = function() end }
local KEY, PARAMS, FILE, LINE = {}, {}, {}, {}
local made, count = {}, 0

-- Equal tables have the same text: the options are read and checked once for all of them.
local function text_of(value, depth)
  local kind = type(value)
  if kind == 'boolean' then
    return value and 't' or 'f'
  elseif kind ~= 'table' or depth > 3 then
    local shown = tostring(value)
    return kind .. #shown .. ':' .. shown
  end
  local text = '{'
  for name, each in pairs(value) do
    text = text .. text_of(name, depth + 1) .. text_of(each, depth + 1)
  end
  return text .. '}'
end

local function make(key, params, file, line)
  answer(host.make_domain(key, params, file, line))
  if count >= 4096 then
    made, count = {}, 0
  end
  made[key], count = true, count + 1
end

local deciding

function kumo.make_listener_domain(params)
  local file, line = exactly()
  if not file then
    local at = deciding and getinfo(deciding, 'S')
    file, line = at and at.short_src, at and at.linedefined
  end
  local key = text_of(params, 0)
  if not made[key] then
    make(key, params, file, line)
  end
  return setmetatable({ [KEY] = key, [PARAMS] = params, [FILE] = file, [LINE] = line }, Domain)
end

local last

local function domain_found(found)
  if found == nil then
    return nil
  elseif debug.getmetatable(found) ~= Domain then
    local at = getinfo(deciding, 'S')
    error(at.short_src .. ':' .. at.linedefined .. ': get_listener_domain returned a ' .. type(found)
      .. ', which kumo.make_listener_domain did not make', 0)
  end
  last = found
  return found[KEY], found[FILE], found[LINE]
end

-- The policy helper: tables of our own, asked directly where nothing of Lua stands between.
local native = {}
local listener_domains = {}

function listener_domains:setup(files)
  if self ~= listener_domains then
    fail 'call it with a colon: listener_domains:setup { ... }'
  elseif self.CONFIGURED then
    fail 'listener_domains module has already been configured'
  end
  local number = answer(host.setup(files))
  self.CONFIGURED = { data_files = files }
  local function get_listener_domain(domain, listener, connection)
    local key = answer(host.ask_tables(number, domain, listener, connection and connection:get_meta 'received_via'))
    return key and setmetatable({ [KEY] = key }, Domain) or nil
  end
  native[get_listener_domain] = number
  return get_listener_domain
end

-- Logs ---------------------------------------------------------------------------------------

local function logger(level)
  return function(...)
    local texts = table.pack(...)
    for index = 1, texts.n do
      texts[index] = tostring(texts[index])
    end
    local file, line = where()
    host.log(level, table.concat(texts, ' '), file, line)
  end
end

for _, level in ipairs { 'debug', 'info', 'warn', 'error' } do
  kumo['log_' .. level] = logger(level)
end
env.print = logger 'info'

function env.os.getenv(name) return answer(host.getenv(name)) end

-- The rest -----------------------------------------------------------------------------------

local serde = {}
for _, name in ipairs {
  'json_parse', 'json_load', 'json_encode', 'json_encode_pretty', 'toml_parse', 'toml_load',
  'toml_encode', 'toml_encode_pretty',
} do
  local function call(...) return answer(host[name](...)) end
  serde[name], kumo[name] = call, call
end

function kumo.configure_local_logs(params) answer(host.local_logs(params, where())) end

function kumo.configure_bounce_classifier(params) answer(host.bounce_classifier(params, where())) end

function kumo.validation_failed() answer(host.validation_failed(where())) end

kumo.memoize = extras.memoize
kumo.string = box.strings
kumo.serde = module('kumo.serde', serde)
kumo.regex = module('kumo.regex', { compile = regex.compile, escape = regex.escape })
kumo.domain_map = module('kumo.domain_map', { new = extras.domain_map })
kumo.cidr = module('kumo.cidr', { make_map = extras.cidr_map })
module('kumo', kumo)

-- Modules --------------------------------------------------------------------------------------

local loaded = { kumo = kumo, ['policy-extras.listener_domains'] = listener_domains }
for _, name in ipairs { 'coroutine', 'debug', 'math', 'os', 'string', 'table', 'utf8' } do
  loaded[name] = env[name]
end
env.package = { path = host.package_path, loaded = loaded, config = package.config }

function env.require(name)
  local known = loaded[name]
  if known ~= nil then
    return known
  end
  local chunk_name, source = answer(host.find_module(name, env.package.path))
  if not source and chunk_name == 'aside' then
    objects.note(name)
    loaded[name] = set_aside(name)
    return loaded[name]
  elseif not source then -- what it has fails when called
    loaded[name] = unknown(name)
    return loaded[name]
  end
  local chunk, problem = load(source, '@' .. chunk_name, 't', env)
  if not chunk then
    error(problem, 0)
  end
  local value = chunk(name, chunk_name)
  if loaded[name] == nil then
    loaded[name] = value == nil and true or value
  end
  return loaded[name]
end

-- What Python calls ----------------------------------------------------------------------------

local calls = {}

function calls.run(source, chunk_name)
  local chunk, problem = load(source, '@' .. chunk_name, 't', env)
  if not chunk then
    error(problem, 0)
  end
  run(chunk)
end

-- The handlers of the beginning, of which there may be several.
function calls.fire(event)
  for _, handler in ipairs(handlers[event] or {}) do
    run(handler)
  end
end

function calls.loaded() loading = false end

function calls.find(domain, listener, id)
  return domain_found(run(deciding, domain, listener, objects.connection(id)))
end

function calls.again() answer(host.make_domain(last[KEY], last[PARAMS], last[FILE], last[LINE])) end

local function one(event) return handlers[event] and handlers[event][1] end

function calls.handler(event)
  local at = getinfo(one(event), 'S')
  return at.short_src, at.linedefined
end

function calls.connection(event, id) run(one(event), objects.connection(id)) end

function calls.text(event, text, id) run(one(event), text, objects.connection(id)) end

function calls.parameters(listener, id)
  return run(one 'smtp_server_get_dynamic_parameters', listener, objects.connection(id))
end

function calls.address(event, email, user, domain, id)
  run(one(event), objects.address(email, user, domain), objects.connection(id))
end

function calls.credentials(authz, authn, password, id)
  return run(one 'smtp_server_auth_plain', authz, authn, password, objects.connection(id))
end

function calls.message(event, message, id)
  run(one(event), objects.message(message), objects.connection(id))
end

-- Which events have a handler; for get_listener_domain also the number of the tables it is.
function calls.registered()
  local names = {}
  for event in pairs(handlers) do
    names[#names + 1] = event
  end
  deciding = one 'get_listener_domain'
  return names, deciding and native[deciding]
end

return calls
