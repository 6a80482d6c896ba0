-- kumo.start_esmtp_listener belongs into init
kumo.start_esmtp_listener { listen = '127.0.0.1:2999' }
