"""The ports to a model's service: outgoing HTTP requests, and the models that the platform runs."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Protocol

import msgspec


class FetchError(Exception):
    """The service could not be reached, or the connection broke off."""


class FetchTimeout(FetchError):
    """The service was silent for too long."""


class FetchedResponse(msgspec.Struct, frozen=True):
    """A response whose body is still arriving.

    `headers`: the names are in lower case. `chunks`: the body; it raises `FetchError`, and closing it frees the
    connection.
    """

    status: int
    headers: Mapping[str, str]
    chunks: AsyncGenerator[bytes, None]


class HttpClient(Protocol):
    """Sends requests to other services."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> FetchedResponse:
        """Returns the response once its status and headers have arrived. Redirects are returned, not followed.

        `timeout_seconds` bounds the silence before the headers and before each chunk, not the whole.

        Raises:
            FetchError: the service could not be reached.
            FetchTimeout: it was silent for `timeout_seconds`.
        """
        ...


class AiBinding(Protocol):
    """Runs models of Workers AI. The responses are those of its HTTP API."""

    async def run(self, model: str, inputs: Mapping[str, Any], timeout_seconds: float) -> FetchedResponse:
        """Returns the response, an event stream if `inputs` have `stream` and the request succeeded.

        `timeout_seconds` as for `HttpClient.post`.

        Raises:
            FetchError: the model could not be reached.
            FetchTimeout: it was silent for `timeout_seconds`.
        """
        ...
