"""Rules and listeners that have every option in them, for the matrix of decisions."""

from __future__ import annotations

from typing import Any

LOCALS = ("192.0.2.25:25", "198.51.100.1:587", "[2001:db8::25]:25")

_GENERAL: dict[str, Any] = {
    "To.Example.": {"relay_to": True},
    "send.example": {"relay_from": ["10.0.0.0/24", "2001:db8:1::/48", "198.18.0.9"]},
    "auth.example": {"relay_from_authz": ["ann", "Ann Müller"]},
    "both.example": {
        "relay_from": ["any"],
        "relay_from_authz": ["bob"],
        "relay_to": True,
        "log_oob": True,
    },
    "bounce.example": {"log_oob": True},
    "fbl.example": {"log_arf": "LogThenRelay"},
    "drop.example": {"log_arf": "LogThenDrop", "relay_to": True},
    "ignored.example": {"log_arf": "Ignore", "log_oob": False},
    "*.wild.example": {"relay_to": True, "relay_from_authz": ["bob"]},
    "www.wild.example": {"relay_to": False, "log_arf": False, "log_oob": False},
    "*.deep.wild.example": {"log_oob": "LogThenDrop", "relay_from": ["10.0.1.0/24"]},
    "münchen.example": {"relay_to": True, "relay_from": ["203.0.113.0/24"]},
    "[192.0.2.1]": {"relay_to": True},
    "[IPv6:2001:DB8::25]": {"relay_from": ["10.0.0.5"], "log_arf": True},
    "inherits.example": {"relay_to": True, "relay_from": ["10.0.0.0/8"]},
}
_SECTIONS: dict[str, Any] = {
    "192.0.2.25:25": {
        "to.example": {"log_oob": True},
        "send.example": {"relay_from": ["203.0.113.9"]},
        "local.example": {"relay_to": True},
        "inherits.example": {"inherit": True, "relay_to": False},
    },
    "0.0.0.0:25": {"*.wild.example": {"log_arf": True}, "local.example": {"log_oob": True}},
    "[2001:db8::25]:25": {"*": {"relay_from": ["2001:db8:1::5"]}, "to.example": {}},
}
RULES: dict[str, dict[str, Any]] = {
    "general": _GENERAL,
    "sections": _GENERAL | {"listener": _SECTIONS},
    "catch_all_to": _GENERAL | {"*": {"log_oob": True}, "listener": _SECTIONS},
    "catch_all_from": _GENERAL | {"*": {"relay_from": ["10.0.0.5"], "relay_from_authz": ["ann"]}},
    "empty": {},
}

# Two proxies that may speak for others, in every listener.
XCLIENT_PROXY, PROXY = "192.0.2.99", "192.0.2.98"
_PROXIES = {
    f"{XCLIENT_PROXY}/32": {"allow_xclient": True},
    f"{PROXY}/32": {"require_proxy_protocol": True},
}
_LISTENERS: dict[str, dict[str, Any]] = {
    "default": {},
    "nobody": {"relay_hosts": []},
    "network": {"relay_hosts": ["10.9.0.0/16", "2001:db8:2::/64"]},
    "any": {"relay_hosts": ["any"]},
    "proxies_only": {"relay_hosts": [XCLIENT_PROXY, PROXY]},
    "peer": {
        "relay_hosts": ["10.0.1.7"],
        "peer": {
            "10.0.0.0/8": {"relay_hosts": ["10.0.1.0/24"]},
            "10.0.1.0/24": {"relay_hosts": ["10.9.1.1"]},
            "10.0.1.7/32": {"relay_hosts": ["any"]},
        },
    },
    "via": {
        "relay_hosts": ["any"],
        "via": {"192.0.2.0/24": {"relay_hosts": []}, "192.0.2.25/32": {"banner": "here"}},
        "peer": {"10.0.0.5/32": {"relay_hosts": ["10.0.0.5"]}},
    },
}
LISTENERS = {
    name: {
        "listen": "0.0.0.0:25",
        "hostname": "mx.test",
        "allow_auth_without_tls": True,
        **options,
        "peer": options.get("peer", {}) | _PROXIES,
    }
    for name, options in _LISTENERS.items()
}
