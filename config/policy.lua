-- The example application's rules and listeners as a policy of KumoMTA. It stands for
-- listener_domains and listeners of config/settings.py:
--
--     kumo-handlers serve --policy config/policy.lua --map-path /opt/kumomta/etc=config

local kumo = require 'kumo'
local listener_domains = require 'policy-extras.listener_domains'

kumo.on('init', function()
  -- where to listen; every option is in docs/options.md
  kumo.start_esmtp_listener {
    listen = '127.0.0.1:2025',
    hostname = 'mail.example.com',
    relay_hosts = { '127.0.0.1', '192.168.1.0/24' },
  }

  kumo.start_esmtp_listener {
    listen = '127.0.0.1:2026',
    hostname = 'mail.example.com',
    relay_hosts = {},
  }
end)

-- what the file says of a domain, before what is said below
local from_file = listener_domains:setup { '/opt/kumomta/etc/listener_domains.toml' }

kumo.on('get_listener_domain', function(domain, listener, conn_meta)
  local found = from_file(domain, listener, conn_meta)
  if found then
    return found
  end
  -- a domain that no file has to name: bounces of a day's campaign
  if domain:match '^campaign%-%d+%.bounce%.example$' then
    return kumo.make_listener_domain { log_oob = true }
  end
end)

kumo.on('smtp_server_ehlo', function(domain, conn_meta)
  conn_meta:set_meta('is_local', domain == 'localhost')
end)

kumo.on('smtp_server_mail_from', function(sender)
  if sender.domain == 'banned.example' then
    kumo.reject(550, '5.7.1 not from there')
  end
end)
