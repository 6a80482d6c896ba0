"""What a person would write in a KumoMTA policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kumo_handlers.policy import toml_text

if TYPE_CHECKING:
    from collections.abc import Mapping


def answer(domain: str, options: Mapping[str, object], *, is_new: bool) -> tuple[str, ...]:
    """The lines by which ``get_listener_domain`` returns ``options``, for ``domain`` if new."""
    given = ", ".join(f"{name} = {value(each)}" for name, each in options.items())
    returned = f"return kumo.make_listener_domain {{ {given} }}"
    if not is_new:
        return (returned,)
    return (f"if domain == {value(domain)} then", f"  {returned}", "end")


def value(given: object) -> str:
    """The value of an option, in Lua's spelling: TOML's, with lists in braces."""
    text = toml_text.value(given)
    return f"{{ {text[1:-1]} }}" if text.startswith("[") else text
