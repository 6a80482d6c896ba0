"""The way of a mail through Salmon; and, called, the handlers of an app in their order.

``kumo_handlers.pipeline`` is this package, and ``kumo_handlers.pipeline(reports=[…],
inbound=[…])`` is what ``settings.handlers`` wants to say, so the package can be called.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_OURS = "kumo_handlers.handlers"


def in_order(reports: Iterable[str] = (), inbound: Iterable[str] = ()) -> list[str]:
    """The handlers for ``settings.handlers``, in the one order in which nothing is lost.

    ``reports`` are the app's own modules that see each bounce and complaint, ``inbound`` those
    that see what is about to be relayed.
    """
    return [
        f"{_OURS}.gate",
        f"{_OURS}.arf",
        f"{_OURS}.oob",
        *reports,
        f"{_OURS}.drop",
        *inbound,
        f"{_OURS}.relay",
    ]


class _Callable(ModuleType):
    """The class of this package, which is how Python lets a module be called."""

    __call__ = staticmethod(in_order)


sys.modules[__name__].__class__ = _Callable
