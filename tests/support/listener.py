"""Reads an open stream in the background and notes what came, and when."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from simulation.client import Client
from tests.support.sse_parser import SseParser


@dataclass(frozen=True)
class Heard:
    """One event of a stream; `at` in seconds of virtual time."""

    name: str
    data: Any
    id: str
    at: float


class Listener:
    """`events` and `comments` (with their times) that have come so far."""

    def __init__(self, chunks: AsyncGenerator[bytes, None]) -> None:
        self.events: list[Heard] = []
        self.comments: list[tuple[str, float]] = []
        self.raw = b""
        self._parser = SseParser()
        self._chunks = chunks
        self._arrived = asyncio.Event()
        self._task = asyncio.ensure_future(self._read())

    @property
    def is_over(self) -> bool:
        """Whether the stream has ended."""
        return self._task.done()

    def names(self) -> list[str]:
        """The names of the events, in their order."""
        return [event.name for event in self.events]

    def data(self, name: str) -> list[Any]:
        """The data of the events called `name`."""
        return [event.data for event in self.events if event.name == name]

    async def until_over(self, seconds: float = 3600) -> None:
        """Wait for the end of the stream."""
        async with asyncio.timeout(seconds):
            await asyncio.shield(self._task)

    async def until_event(self, number: int) -> None:
        """Wait until so many events have come, or the end."""
        while len(self.events) < number and not self.is_over:
            self._arrived.clear()
            arriving = asyncio.ensure_future(self._arrived.wait())
            await asyncio.wait([arriving, self._task], return_when=asyncio.FIRST_COMPLETED)
            arriving.cancel()

    async def stop(self) -> None:
        """Go away, as a client does."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._chunks.aclose()

    async def _read(self) -> None:
        async for chunk in self._chunks:
            self.raw += chunk
            self._parser.feed(chunk)
            at = round(asyncio.get_running_loop().time(), 3)
            for event in self._parser.events[len(self.events) :]:
                self.events.append(Heard(event.type, json.loads(event.data), event.last_event_id, at))
                self._arrived.set()
            self.comments += [(text, at) for text in self._parser.comments[len(self.comments) :]]


async def listen(client: Client, url: str, **options: Any) -> Listener:
    """Open the stream at `url` and begin to read it."""
    response = await client.open("GET", url, **options)
    assert response.status == 200, response.body
    assert isinstance(response.body, AsyncGenerator)
    return Listener(response.body)
