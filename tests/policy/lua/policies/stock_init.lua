-- What a whole installation of KumoMTA may have in its init.lua: most of it is about sending.
local kumo = require 'kumo'
local utils = require 'policy-extras.policy_utils'
local shaping = require 'policy-extras.shaping'
local queue_module = require 'policy-extras.queue'
local listener_domains = require 'policy-extras.listener_domains'
local sources = require 'policy-extras.sources'
local dkim_sign = require 'policy-extras.dkim_sign'
local log_hooks = require 'policy-extras.log_hooks'

sources:setup { '/opt/kumomta/etc/policy/sources.toml' }
local shaper = shaping:setup_with_automation {
  publish = { 'http://127.0.0.1:8008' },
  subscribe = { 'http://127.0.0.1:8008' },
  extra_files = { '/opt/kumomta/etc/policy/shaping.toml' },
}
log_hooks:new_json { name = 'webhook', url = 'http://127.0.0.1:9999/log' }

kumo.on('pre_init', function()
  kumo.set_config_monitor_globs { '/opt/kumomta/etc/**/*.toml' }
end)

kumo.on('init', function()
  kumo.define_spool { name = 'data', path = '/var/spool/kumomta/data', kind = 'RocksDB' }
  kumo.define_spool { name = 'meta', path = '/var/spool/kumomta/meta', kind = 'RocksDB' }
  kumo.configure_local_logs {
    log_dir = '/var/log/kumomta',
    max_segment_duration = '10 seconds',
    headers = { 'Subject' },
  }
  kumo.configure_accounting_db_path '/var/spool/kumomta/accounting.db'
  kumo.dns.configure_resolver { name_servers = { '127.0.0.1:53' } }
  kumo.start_http_listener { listen = '127.0.0.1:8000', trusted_hosts = { '127.0.0.1' } }
  kumo.start_esmtp_listener {
    listen = '127.0.0.1:0',
    hostname = 'mail.example.com',
    relay_hosts = { '10.0.0.0/8' },
    deferred_spool = false,
  }
  shaper.publish()
end)

kumo.on('get_egress_path_config', shaper.get_egress_path_config)
kumo.on('get_egress_source', function(name)
  return kumo.make_egress_source { name = name, ehlo_domain = 'mta.example.com' }
end)
kumo.on('get_egress_pool', function(name)
  return kumo.make_egress_pool { name = name, entries = { { name = 'one' } } }
end)
local queue_helper = queue_module:setup { '/opt/kumomta/etc/policy/queues.toml' }
kumo.on('get_queue_config', function() return kumo.make_queue_config { max_age = '1 day' } end)
kumo.on('get_queue_config', function() end)

kumo.on(
  'get_listener_domain',
  listener_domains:setup { '/opt/kumomta/etc/policy/listener_domains.toml' }
)

local dkim_signer = dkim_sign:setup { '/opt/kumomta/etc/policy/dkim_data.toml' }
kumo.on('smtp_server_message_received', function(msg)
  queue_helper:apply(msg)
  msg:import_scheduling_header 'X-Schedule'
  msg:dkim_sign(kumo.dkim.rsa_sha256_signer { domain = 'example.com', selector = 'default' })
  dkim_signer(msg)
end)
