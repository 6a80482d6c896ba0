"""A handler of an app's own, in the way: it blocks for 10 ms."""

import time

from salmon.routing import nolocking, route, stateless

SECONDS = 0.01


@route("(?P<address>.*)")
@stateless
@nolocking
def START(message: object, **_: str) -> None:  # noqa: N802 - Salmon names states in capitals
    """As a look-up in somebody's database does."""
    del message
    time.sleep(SECONDS)
