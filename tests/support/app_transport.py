"""Lets an HTTP client of httpx call applications without a network, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from itertools import cycle

import httpx

from simulation.client import Client


class AppTransport(httpx.AsyncBaseTransport):
    """Passes requests on to applications in turns, as isolates of one deployment. `seen`: method and path of each."""

    def __init__(self, isolates: Sequence[Client], address: str = "192.0.2.1") -> None:
        self.seen: list[tuple[str, str]] = []
        self._turns = cycle(isolates)
        self._address = address

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append((request.method, request.url.path))
        response = await next(self._turns).open(
            request.method,
            request.url.raw_path.decode(),
            body=await request.aread(),
            headers=dict(request.headers),
            ip=self._address,
        )
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response.body))


class _Body(httpx.AsyncByteStream):
    def __init__(self, body: bytes | AsyncGenerator[bytes, None] | None) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if isinstance(self._body, AsyncGenerator):
            async for chunk in self._body:
                yield chunk
        elif self._body:
            yield self._body

    async def aclose(self) -> None:
        if isinstance(self._body, AsyncGenerator):
            await self._body.aclose()
