local kumo = require 'kumo'

kumo.start_esmtp_listener {
  listen = '127.0.0.1:2600',
  hostname = 'mail.example.com',
  relay_hosts = { '127.0.0.1', '192.168.1.0/24' },
}

kumo.start_esmtp_listener {
  listen = '127.0.0.1:2601',
  hostname = 'mx2.example.com',
  banner = 'hello',
  relay_hosts = {},
}
