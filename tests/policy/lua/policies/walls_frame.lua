-- Each file of ../walls is one attempt to get out. It is put where the event would end.
local kumo = require 'kumo'

kumo.on('get_listener_domain', function(domain, listener, conn_meta)
  if domain == 'fine.example' then
    return kumo.make_listener_domain { relay_to = true }
  end
  --[[attempt]]
end)
