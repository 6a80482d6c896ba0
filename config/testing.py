"""What tests and ``salmon routes`` import: as boot, but nothing listens."""

import logging.config

from salmon.routing import Router
from salmon.server import Relay

import kumo_handlers

from . import settings

logging.config.fileConfig("config/test_logging.conf")

settings.relay = Relay(**settings.relay_config)
kumo_handlers.configure(settings)

Router.defaults(**settings.router_defaults)
Router.load(settings.handlers)
Router.LOG_EXCEPTIONS = False
