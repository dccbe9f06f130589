"""Services that answer from a script, in virtual time: in-memory versions of the clients for requests that go out.

A reply's steps are bytes, pauses and errors. A pause that is longer than the caller's patience is a time-out, as the
interfaces promise.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from waypost_worker.models.transport import FetchedResponse, FetchError, FetchTimeout


@dataclass(frozen=True)
class Pause:
    """Nothing for a while."""

    seconds: float


Step = bytes | Pause | FetchError
EVENT_STREAM = {"content-type": "text/event-stream; charset=utf-8"}
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Reply:
    """`before`: what happens before there is a head."""

    steps: Sequence[Step] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: EVENT_STREAM)
    before: Sequence[Pause | FetchError] = ()


@dataclass(frozen=True)
class Sent:
    """A request that went out, `at` which second of virtual time."""

    to: str
    headers: Mapping[str, str]
    body: Any
    timeout_seconds: float
    at: float


class _Scripted:
    """Takes one reply a request. `open` counts those whose chunks were neither read to the end nor closed."""

    def __init__(self, *replies: Reply) -> None:
        self.sent: list[Sent] = []
        self.open = 0
        self._replies = list(replies)

    async def _send(self, to: str, headers: Mapping[str, str], body: Any, timeout_seconds: float) -> FetchedResponse:
        self.sent.append(Sent(to, headers, body, timeout_seconds, round(asyncio.get_running_loop().time(), 3)))
        reply = self._replies.pop(0)
        for step in reply.before:
            await _meet(step, timeout_seconds)
        chunks = self._chunks(reply, timeout_seconds)
        await anext(chunks)
        return FetchedResponse(reply.status, reply.headers, chunks)

    async def _chunks(self, reply: Reply, timeout_seconds: float) -> AsyncGenerator[bytes, None]:
        self.open += 1
        try:
            yield b""
            for step in reply.steps:
                if isinstance(step, bytes):
                    yield step
                else:
                    await _meet(step, timeout_seconds)
        finally:
            self.open -= 1


class FakeHttp(_Scripted):
    """`HttpClient`."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> FetchedResponse:
        return await self._send(url, headers, json.loads(body), timeout_seconds)


class FakeAi(_Scripted):
    """`AiBinding`."""

    async def run(self, model: str, inputs: Mapping[str, Any], timeout_seconds: float) -> FetchedResponse:
        return await self._send(model, {}, inputs, timeout_seconds)


async def _meet(step: Pause | FetchError, timeout_seconds: float) -> None:
    if isinstance(step, FetchError):
        raise step
    await asyncio.sleep(min(step.seconds, timeout_seconds))
    if step.seconds > timeout_seconds:
        raise FetchTimeout(f"nothing for {timeout_seconds} s")
