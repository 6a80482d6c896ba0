"""A handler on bounces."""

from salmon.routing import route_like, stateless

from kumo_handlers.handlers import oob


@route_like(oob.START)
@stateless
def START(message: object, **_: str) -> None:  # noqa: N802 - Salmon names states in capitals
    """See a bounce."""
