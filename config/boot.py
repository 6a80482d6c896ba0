"""What ``salmon start`` imports: everything wired, nothing listening yet."""

import logging.config

from salmon import queue
from salmon.routing import Router
from salmon.server import Relay

import kumo_handlers

from . import settings

logging.config.fileConfig("config/logging.conf")

settings.relay = Relay(**settings.relay_config)
settings.receiver = kumo_handlers.receiver(settings)

Router.defaults(**settings.router_defaults)
Router.load(settings.handlers)
Router.UNDELIVERABLE_QUEUE = queue.Queue("run/undeliverable")
