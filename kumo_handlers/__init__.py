"""KumoMTA's listener domains, bounce and complaint logging, for Salmon mail applications.

An app needs three names: `receiver` for ``config/boot.py`` (`worker` where others listen),
`configure` for ``config/testing.py``, `pipeline` for the handlers in ``config/settings.py``.
`parse_report` reads one bounce or complaint; `mend` is for Salmon's own receivers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kumo_handlers.boot import configure as configure
    from kumo_handlers.boot import receiver as receiver
    from kumo_handlers.boot import worker as worker
    from kumo_handlers.journal.parsing import parse_report as parse_report
    from kumo_handlers.pipeline import in_order as pipeline
    from kumo_handlers.pipeline.mending import mend as mend

__version__ = "0.1.0"
__all__ = ["configure", "mend", "parse_report", "pipeline", "receiver", "worker"]

# Imported when they are asked for: settings and the command line must not wait for all of it.
_MADE_IN = {
    "configure": "kumo_handlers.boot",
    "mend": "kumo_handlers.pipeline.mending",
    "parse_report": "kumo_handlers.journal.parsing",
    "receiver": "kumo_handlers.boot",
    "pipeline": "kumo_handlers.pipeline",
    "worker": "kumo_handlers.boot",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    if name not in _MADE_IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(_MADE_IN[name])
    return module if name == "pipeline" else getattr(module, name)
