"""The Python client, `waypost`, on applications in this process: without a network, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from itertools import cycle
from typing import Any

import httpx2

from simulation.client import Client
from waypost import AsyncWaypost, Retry

URL = "https://waypost.test"


class AppTransport(httpx2.AsyncBaseTransport):
    """Passes requests on to applications in turns, as isolates of one deployment. `seen`: method and path of each.
    `fail`: called with each request, may raise what a broken connection raises; `cut`: how many chunks of a stream come
    before it breaks, for each stream in turn."""

    def __init__(self, isolates: Sequence[Client], address: str = "192.0.2.1") -> None:
        self.seen: list[tuple[str, str]] = []
        self.requests: list[httpx2.Request] = []
        self.fail: Callable[[httpx2.Request], None] = lambda _request: None
        self.lose: Callable[[httpx2.Request], bool] = lambda _request: False
        self.cuts: list[int] = []
        self._turns = cycle(isolates)
        self._address = address

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.seen.append((request.method, request.url.path))
        self.requests.append(request)
        self.fail(request)
        response = await next(self._turns).open(
            request.method,
            request.url.raw_path.decode(),
            body=await request.aread(),
            headers=dict(request.headers),
            ip=self._address,
        )
        if self.lose(request):
            raise httpx2.ReadError("the reply was lost")
        is_stream = isinstance(response.body, AsyncGenerator)
        chunks = self.cuts.pop(0) if is_stream and self.cuts else None
        return httpx2.Response(response.status, headers=response.headers, stream=_Body(response.body, chunks))


class _Body(httpx2.AsyncByteStream):
    def __init__(self, body: bytes | AsyncGenerator[bytes, None] | None, chunks: int | None) -> None:
        self._body = body
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if isinstance(self._body, AsyncGenerator):
            number = 0
            async for chunk in self._body:
                yield chunk
                number += 1
                if number == self._chunks:
                    raise httpx2.ReadError("the connection was cut")
        elif self._body:
            yield self._body

    async def aclose(self) -> None:
        if isinstance(self._body, AsyncGenerator):
            await self._body.aclose()


def python_client(*isolates: Client, **options: Any) -> tuple[AsyncWaypost, AppTransport]:
    """A client of the applications, and the transport between them."""
    transport = AppTransport(isolates)
    http = httpx2.AsyncClient(transport=transport)
    return AsyncWaypost(URL, http_client=http, retry=options.pop("retry", Retry()), **options), transport
