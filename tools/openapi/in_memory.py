"""The service in memory, on which the example calls run while the document is made; deterministic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from random import Random
from typing import Any
from urllib.parse import urlsplit

from tools.openapi.example_calls import EXAMPLE_CALLS
from tools.openapi.example_calls.step import begin
from tools.openapi.example_runner import Answered, ExampleResult, Sent, count_events, run_steps
from waypost_worker.app import App
from waypost_worker.clock import Wakeup
from waypost_worker.http.messages import Request
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.store import Kv
from waypost_worker.security.rate_limits import Limit, Limiter
from waypost_worker.settings import Settings

SIGNING_KEY = b"made up, for the examples in the document"
START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z."""


class _Clock:
    """Advances only by `sleep`."""

    def __init__(self) -> None:
        self._now_ms = START_MS

    def now_ms(self) -> int:
        return self._now_ms

    async def sleep(self, seconds: float) -> None:
        self._now_ms += round(seconds * 1000)
        await asyncio.sleep(0)

    def wakeup(self) -> Wakeup:
        return _Wakeup(self)


TICK_SECONDS = 0.015
"""The step in which a wait advances the clock."""


class _Wakeup:
    """Advances the clock until it is set."""

    def __init__(self, clock: _Clock) -> None:
        self._clock = clock
        self._is_rung = False

    def set(self) -> None:
        self._is_rung = True

    async def wait(self, seconds: float) -> None:
        while not self._is_rung and seconds > 0:
            await self._clock.sleep(min(TICK_SECONDS, seconds))
            seconds -= TICK_SECONDS
        self._is_rung = False

    def is_lost(self) -> bool:
        return False


class _Random:
    """The same bytes at every run."""

    def __init__(self) -> None:
        self._random = Random(5)  # noqa: S311  # nothing is kept secret with it

    def random_bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)


class _Limiter:
    async def allows(self, key: str) -> bool:
        return True


_LIMITERS = dict.fromkeys(Limit, _Limiter())


class _Headers:
    def __init__(self, fields: dict[str, str]) -> None:
        self._fields = fields

    def get(self, name: str) -> str | None:
        return self._fields.get(name)


class InMemoryService:
    """The service that the example calls run on. `limiters` count their requests; `around` wraps the store."""

    def __init__(
        self, limiters: Mapping[Limit, Limiter] = _LIMITERS, around: Callable[[Kv], Kv] = lambda kv: kv
    ) -> None:
        clock = _Clock()
        settings = Settings(signing_keys=(SIGNING_KEY,))
        self._app = App(settings, around(MemoryKv(clock)), clock, _Random(), print, limiters)
        self._background: list[asyncio.Task[None]] = []

    async def send(self, sent: Sent) -> Answered:
        """The response to `sent`; of a stream, as many events as the step reads."""
        parts = urlsplit(sent.url)

        async def read_body(_limit: int) -> bytes:
            return sent.body

        headers = _Headers({name.lower(): value for name, value in sent.headers.items()})
        request = Request(sent.method, parts.path, parts.query, headers, read_body, self._run, "203.0.113.7")
        response = await self._app.handle(request)
        body = response.body or b""
        if isinstance(body, AsyncGenerator):
            body = await _read(body, sent.events)
        await asyncio.gather(*self._background)
        return Answered(response.status, {name.lower(): value for name, value in response.headers.items()}, body)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self._background.append(asyncio.ensure_future(work))


async def _read(stream: AsyncGenerator[bytes, None], events: int) -> bytes:
    text = b""
    async for chunk in stream:
        text += chunk
        if events and count_events(text) >= events:
            break
    await stream.aclose()
    return text


def run_examples() -> list[ExampleResult]:
    """Runs all example calls; returns each step with its response."""
    return asyncio.run(run_steps(EXAMPLE_CALLS, begin(), InMemoryService().send))
