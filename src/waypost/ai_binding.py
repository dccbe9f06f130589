"""The port for models that the platform itself runs."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from waypost.http_client import Fetched


class AiBinding(Protocol):
    """Runs models; what comes back is what their HTTP API would answer."""

    async def run(self, model: str, messages: Sequence[Mapping[str, Any]], timeout_seconds: float) -> Fetched:
        """The reply, a stream of events where all is well. `timeout_seconds` as for `HttpClient.post`.

        Raises:
            FetchError, FetchTimeout
        """
        ...
