"""The ports for asking a model: HTTP requests that go out, and models that the platform itself runs."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Protocol

import msgspec


class FetchError(Exception):
    """The other side could not be reached, or broke off."""


class FetchTimeout(FetchError):
    """The other side said nothing for too long."""


class FetchedResponse(msgspec.Struct, frozen=True):
    """A reply whose body is still coming: `chunks` raises `FetchError`, and frees the connection when it is closed.

    `headers` have their names in lower case.
    """

    status: int
    headers: Mapping[str, str]
    chunks: AsyncGenerator[bytes, None]


class HttpClient(Protocol):
    """Sends requests to other services."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> FetchedResponse:
        """The reply, once its head is there; a redirect is one, and is not followed. `timeout_seconds` bounds the
        silence before the head and before each chunk, not the whole.

        Raises:
            FetchError, FetchTimeout
        """
        ...


class AiBinding(Protocol):
    """Runs models; what comes back is what their HTTP API would answer."""

    async def run(self, model: str, messages: Sequence[Mapping[str, Any]], timeout_seconds: float) -> FetchedResponse:
        """The reply, a stream of events where all is well. `timeout_seconds` as for `HttpClient.post`.

        Raises:
            FetchError, FetchTimeout
        """
        ...
