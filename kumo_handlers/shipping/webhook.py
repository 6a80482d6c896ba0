"""Records to a webhook: batches of JSON lines, by POST, signed.

A batch has arrived when the answer is 2xx. What the server cannot read (400, 413, 415, 422) is
refused for good; every other answer means that the server, or its address, is not right yet, and
the batch is sent again until it is. No redirect is followed: it could lead anywhere.
"""

from __future__ import annotations

import ssl
import time
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from kumo_handlers import service
from kumo_handlers.policy.kinds import PATH
from kumo_handlers.policy.options import Declared
from kumo_handlers.shipping import retry_after
from kumo_handlers.shipping.destination import RefusedError, UnavailableError
from kumo_handlers.shipping.kinds import SECRET, SECRETS
from kumo_handlers.shipping.signature import sign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kumo_handlers.service import ServiceURL
    from kumo_handlers.shipping.parcel import Parcel

TIMESTAMP = "X-Kumo-Timestamp"
SIGNATURE = "X-Kumo-Signature"
IDEMPOTENCY = "Idempotency-Key"
_OF_CONTENT = frozenset({400, 413, 415, 422})
_SUCCESS = range(200, 300)
_SHOWN = 200
_MOST = 64 * 1024  # of an answer's body; what is read whole leaves the connection usable


class WebhookOptions(msgspec.Struct, frozen=True):
    """Options of a webhook."""

    secret: Annotated[
        str | None, Declared(SECRET, "http, https: the key by which batches are signed")
    ] = None
    headers: Annotated[
        dict[str, str], Declared(SECRETS, "http, https: fields to send with each batch")
    ] = {}
    ca_file: Annotated[
        str | None, Declared(PATH, "https: the certificates to trust; else the system's")
    ] = None


class Webhook:
    """A `Destination` by HTTP."""

    def __init__(self, url: ServiceURL, options: WebhookOptions) -> None:
        self._url = url
        self._options = options
        self._httpx = service.client("httpx", "http")
        self._client: Any = None

    async def send(self, parcels: Sequence[Parcel]) -> None:
        """See `Destination.send`."""
        body = b"".join(parcel.line + b"\n" for parcel in parcels)
        request = self._connected().build_request(
            "POST", self._url.text, content=body, headers=self._headers(body)
        )
        response = await self._client.send(request, stream=True)
        try:
            await _read_away(response)
            if response.status_code not in _SUCCESS:
                raise _error(response)
        finally:
            await response.aclose()

    async def close(self) -> None:
        """See `Destination.close`."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _connected(self) -> Any:  # noqa: ANN401 - the library is imported when it is needed
        """The client. The shipper's own timeout ends what takes too long."""
        if self._client is None:
            self._client = self._httpx.AsyncClient(
                timeout=None,
                verify=ssl.create_default_context(cafile=self._options.ca_file),
                trust_env=False,
                follow_redirects=False,
                headers={"User-Agent": "kumo_handlers", **self._options.headers},
            )
        return self._client

    def _headers(self, body: bytes) -> dict[str, str]:
        now = int(time.time())
        headers = {
            "Content-Type": "application/x-ndjson",
            TIMESTAMP: str(now),
            IDEMPOTENCY: blake2b(body, digest_size=16).hexdigest(),
        }
        if self._options.secret is not None:
            headers[SIGNATURE] = sign(self._options.secret, now, body)
        return headers


async def _read_away(response: Any) -> None:  # noqa: ANN401 - as above
    """Read what the server has to say, which nobody wants to know, but not for ever."""
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > _MOST:
            return


def _error(response: Any) -> Exception:  # noqa: ANN401 - as above
    status = response.status_code
    said = f"the answer was {status} {response.reason_phrase}"[:_SHOWN]
    if status in _OF_CONTENT:
        return RefusedError(said)
    wait = retry_after.seconds(response.headers.get("Retry-After"), time.time())
    return UnavailableError(said, wait)
