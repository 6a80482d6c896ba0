-- Says of each event what it was given, and does what the name that is said asks for.
local kumo = require 'kumo'

kumo.on('init', function()
  kumo.start_esmtp_listener {
    listen = '127.0.0.1:0',
    hostname = 'mx.example.com',
    relay_hosts = {},
    meta = { site = 'north' },
    trace_headers = { include_meta_names = { 'campaign' } },
  }
end)

local function act(word, ...)
  if word == 'reject' then
    kumo.reject(451, '4.7.1 come back')
  elseif word == 'refuse' then
    kumo.reject(550, 'no thank you')
  elseif word == 'close' then
    kumo.disconnect(450, 'go away')
  elseif word == 'follow' then
    kumo.disconnect(550, '5.7.0 go away', 'FollowWith421')
  elseif word == 'stay' then
    kumo.disconnect(550, 'not now', 'If421')
  elseif word == 'crash' then
    local nothing = nil
    return nothing.field
  elseif word == 'loop' then
    while true do end
  end
end

local function seen(conn_meta, event, ...)
  local list = conn_meta:get_meta 'seen' or {}
  list[#list + 1] = event .. '(' .. table.concat({ ... }, ', ') .. ')'
  conn_meta:set_meta('seen', list)
end

kumo.on('smtp_server_get_dynamic_parameters', function(listener, conn_meta)
  seen(conn_meta, 'parameters', listener, conn_meta:get_meta 'site')
  return { banner = 'for ' .. conn_meta:get_meta('received_from'):match '^[%d.]+', max_message_size = 4000.0 }
end)

kumo.on('smtp_server_connection_accepted', function(conn_meta)
  seen(conn_meta, 'accepted', conn_meta:get_meta 'reception_protocol')
  act(conn_meta:get_meta 'at_connect')
end)

kumo.on('smtp_server_ehlo', function(domain, conn_meta)
  seen(conn_meta, 'ehlo', domain)
  act(domain:match '^(%a+)%.ehlo')
end)

kumo.on('smtp_server_auth_plain', function(authz, authn, password, conn_meta)
  seen(conn_meta, 'auth', authz, authn, password)
  if authn == 'other' then
    return {
      identities = {
        { identity = 'boss', context = 'SmtpAuthPlainAuthorization' },
        { identity = 'clerk', context = 'SmtpAuthPlainAuthentication' },
      },
    }
  elseif authn == 'odd' then
    return 'yes'
  elseif authn == 'reject' then
    kumo.reject(535, 'no')
  end
  return password == 'tiger'
end)

kumo.on('smtp_server_mail_from', function(sender, conn_meta)
  seen(conn_meta, 'mail', sender.user, sender.domain, tostring(sender))
  act(sender.user)
end)

kumo.on('get_listener_domain', function(domain, listener, conn_meta)
  seen(conn_meta, 'domain', domain)
  act(domain:match '^(%a+)%.domain')
  if domain == 'example.com' or domain:find '%.example%.com$' then
    return kumo.make_listener_domain { relay_to = true }
  elseif domain == 'bounce.example' then
    return kumo.make_listener_domain { log_oob = true }
  elseif domain == conn_meta:get_meta 'authz_id' then
    return kumo.make_listener_domain { log_oob = true }
  end
end)

kumo.on('smtp_server_rcpt_to', function(recipient, conn_meta)
  seen(conn_meta, 'rcpt', recipient.email)
  act(recipient.user)
end)

kumo.on('smtp_server_data', function(msg, conn_meta)
  seen(conn_meta, 'data', #msg:recipient_list(), #msg:get_data())
  act(msg:get_first_named_header_value 'X-At-Data')
  if msg:get_first_named_header_value 'X-Alias' then
    msg:set_recipient { 'one@example.com', 'two@example.com' }
  end
end)

kumo.on('smtp_server_message_received', function(msg, conn_meta)
  seen(conn_meta, 'received', msg:recipient().email, msg:sender().email)
  msg:set_meta('campaign', 'spring')
  msg:prepend_header('X-Seen', msg:id())
  local at_received = msg:get_first_named_header_value 'X-At-Received'
  if at_received == 'null' then
    msg:set_meta('queue', 'null')
  elseif at_received == 'rewrite' then
    msg:set_sender 'new@example.org'
    msg:set_recipient 'else@example.org'
    msg:append_header('X-Last', 'yes')
    msg:remove_all_named_headers 'X-At-Received'
  elseif at_received == msg:recipient().user then
    kumo.reject(550, 'this one not')
  else
    act(at_received)
  end
end)
