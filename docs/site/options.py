"""Write docs/options.md: ``python docs/site/options.py``. A test fails when it is out of date."""  # noqa: INP001 - a script

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kumo_handlers.broker import terms
from kumo_handlers.pipeline import settings
from kumo_handlers.policy import listener, listener_domain
from kumo_handlers.policy.options import declared
from kumo_handlers.shipping import shipment
from kumo_handlers.shipping.table import DESTINATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kumo_handlers.policy.options import Option

PAGE = Path(__file__).parent.parent / "options.md"
# The defaults that are no values, in words.
IN_WORDS = {
    "hostname": "the system's name",
    "nodeid": "made of the system's name",
    "listeners": "one, with its defaults",
    "url": "it has to be given",
}
SHIPPING = dict(shipment.COMMON)
for row in DESTINATIONS.values():
    SHIPPING |= declared(row.options)
TABLES = (
    (
        "Settings",
        "Names in `config/settings.py`. Other names there are the app's own, or Salmon's.",
        settings.OPTIONS,
    ),
    (
        "Listeners",
        "Keys of each table in the setting `listeners`, and of `kumo.start_esmtp_listener` in Lua.",
        listener.OPTIONS,
    ),
    ("Trace headers", "Keys of a listener's `trace_headers`.", listener.TRACE_HEADERS),
    (
        "Listener domains",
        "Keys of each table in a file of rules, and of `kumo.make_listener_domain` in Lua.",
        listener_domain.OPTIONS,
    ),
    ("Broker", "Words in the query of the setting `commit`, where it is a URL.", terms.OPTIONS),
    ("Shipping", "Keys of each table in the setting `ship`.", SHIPPING),
)


def page() -> str:
    """The whole page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "# Options"
    yield ""
    yield "Every setting and option, as it is declared in the code: this page is made of that."
    for title, text, options in TABLES:
        yield from ("", f"## {title}", "", text, "", "| name | type | default | meaning |")
        yield "|---|---|---|---|"
        yield from _rows(options)
        yield from _without_effect(options)
    yield ""


def _rows(options: Mapping[str, Option]) -> Iterator[str]:
    for option in options.values():
        if option.effect:
            default = IN_WORDS.get(option.name) or _code(option.default_text)
            kind = option.kind.name.replace("|", "or")
            yield f"| `{option.name}` | {kind} | {default} | {option.help} |"


def _without_effect(options: Mapping[str, Option]) -> Iterator[str]:
    """What is accepted for KumoMTA's sake."""
    rows = [option for option in options.values() if not option.effect]
    if rows:
        yield from ("", "Accepted, as in KumoMTA, and without effect here:", "")
    for option in rows:
        yield f"- `{option.name}`: {option.help}"


def _code(text: str) -> str:
    return f"`{text}`" if text and text != "None" else "none"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
