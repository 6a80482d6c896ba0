-- kumo.on belongs to the top level
kumo.on('smtp_server_ehlo', function() end)
