"""Which mailbox provider a domain belongs to, told by its name: DNS is not asked."""

from __future__ import annotations

from functools import lru_cache

OTHER = "other"

_DOMAINS = {
    domain: provider
    for provider, domains in {
        "Apple": "icloud.com me.com mac.com",
        "Comcast": "comcast.net",
        "GMX": "web.de mail.com",
        "Google": "gmail.com googlemail.com",
        "La Poste": "laposte.net",
        "Mail.ru": "mail.ru bk.ru list.ru inbox.ru internet.ru",
        "Microsoft": "msn.com passport.com",
        "NetEase": "163.com 126.com yeah.net 188.com",
        "Orange": "orange.fr wanadoo.fr",
        "Proton": "proton.me protonmail.com pm.me",
        "Telekom": "t-online.de",
        "Tencent": "qq.com foxmail.com",
        "Yahoo": "ymail.com rocketmail.com myyahoo.com",
        "Yandex": "ya.ru",
        "Zoho": "zoho.com zohomail.com",
    }.items()
    for domain in domains.split()
}
# The first label, with any country behind it: hotmail.fr, yahoo.co.uk.
_FAMILIES = {
    "aol": "Yahoo",
    "gmx": "GMX",
    "hotmail": "Microsoft",
    "live": "Microsoft",
    "outlook": "Microsoft",
    "yahoo": "Yahoo",
    "yandex": "Yandex",
}
_MOST_LABELS = 3  # yahoo.co.uk


@lru_cache(maxsize=4096)
def provider_of(domain: str) -> str:
    """The provider of a folded domain, or `OTHER`."""
    family, dot, rest = domain.partition(".")
    if dot and rest.count(".") < _MOST_LABELS - 1 and family in _FAMILIES:
        return _FAMILIES[family]
    return _DOMAINS.get(domain, OTHER)
