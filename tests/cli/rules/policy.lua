local kumo = require 'kumo'

kumo.on('init', function()
  kumo.start_esmtp_listener {
    listen = '127.0.0.1:2525',
    relay_hosts = { '10.0.0.0/8' },
  }
end)

kumo.on('smtp_server_mail_from', function(sender)
  if sender.domain == 'spam.example' then
    kumo.reject(550, '5.7.1 we do not want it')
  end
end)

kumo.on('smtp_server_rcpt_to', function(recipient)
  if recipient.user == 'abuse' then
    kumo.reject(451, '4.7.1 later')
  end
end)

kumo.on('get_listener_domain', function(domain)
  if domain == 'example.com' then
    return kumo.make_listener_domain { relay_to = true }
  end
end)
