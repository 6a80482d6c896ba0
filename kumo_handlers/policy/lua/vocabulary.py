"""What of KumoMTA's world a policy may speak of: the events, and what is set aside."""

from __future__ import annotations

from typing import Final

# The events that happen here.
EVENTS: Final = (
    "pre_init",
    "init",
    "validate_config",
    "get_listener_domain",
    "smtp_server_get_dynamic_parameters",
    "smtp_server_connection_accepted",
    "smtp_server_ehlo",
    "smtp_server_auth_plain",
    "smtp_server_mail_from",
    "smtp_server_rcpt_to",
    "smtp_server_data",
    "smtp_server_message_received",
)

# Functions and modules of the kumo module that are about other things than listening, beside all
# that begin with configure_ and set_.
ASIDE: Final = (
    "bump_config_epoch",
    "define_egress_pool",
    "define_egress_source",
    "define_spool",
    "dkim",
    "make_egress_path",
    "make_egress_pool",
    "make_egress_source",
    "make_queue_config",
    "make_throttle",
    "prometheus",
    "shaping",
    "start_http_listener",
    "start_proxy_listener",
)

# Helpers of policy-extras that are about other things than listening.
HELPERS_ASIDE: Final = (
    "dkim_sign",
    "dmarc_rua",
    "docker_utils",
    "hornet",
    "log_hooks",
    "queue",
    "rollup",
    "shaping",
    "sources",
    "warmup",
)
HELPERS: Final = "policy-extras."

# What os.getenv tells, beside names that begin with KUMO: the environment holds secrets.
ENVIRONMENT: Final = frozenset({"HOME", "HOSTNAME", "LANG", "PATH", "TZ", "USER"})
ENVIRONMENT_PREFIX: Final = "KUMO"
