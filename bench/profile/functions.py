"""Which functions take the time of a call, under CPython with cProfile: the same code as in workerd, no JavaScript."""

from __future__ import annotations

import asyncio
import cProfile
import io
import json
import pstats
import sysconfig
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from bench.measure.calls import RESULT, request_body
from simulation.virtual_time import LoopWakeup
from tools.local.local_worker import ROOT
from waypost_worker.app import App
from waypost_worker.http.messages import Request, Response
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.security.rate_limits import Limit
from waypost_worker.settings import Settings

CALLS = 2000
SHOWN = 14
PLACES = (f"{ROOT}/src", str(ROOT), sysconfig.get_path("stdlib"))
"""Folders of this machine: they mean nothing on another one."""

RequestContext = Callable[[], Awaitable[object]]


class _Clock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def wakeup(self) -> LoopWakeup:
        return LoopWakeup()


class _Random:
    def random_bytes(self, count: int) -> bytes:
        return bytes(count - 8) + time.monotonic_ns().to_bytes(8, "big") if count >= 8 else bytes(count)


class _Limiter:
    async def allows(self, key: str) -> bool:
        del key
        return True


class Calls:
    """One session and the calls of it."""

    def __init__(self) -> None:
        clock = _Clock()
        limiters = {limit: _Limiter() for limit in Limit}
        self._app = App(Settings(signing_keys=(bytes(32),)), MemoryKv(clock), clock, _Random(), print, limiters)
        self._ids: list[str] = []
        self._background: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Open the session that the others use."""
        opened = json.loads(bytes((await self.create()).body or b""))  # type: ignore[arg-type]
        self._code, self._token = opened["code"], opened["hostToken"]

    async def create(self) -> Response:
        return await self._call("POST", "/api/sessions", {"label": "bench"})

    async def request(self) -> Response:
        reply = await self._call("POST", "/api/request", request_body(self._code))
        self._ids.append(json.loads(bytes(reply.body or b""))["id"])  # type: ignore[arg-type]
        return reply

    async def response(self) -> Response:
        body = {"code": self._code, "id": self._ids.pop(), "result": RESULT}
        return await self._call("POST", "/api/response", body, self._token)

    async def poll(self) -> Response:
        return await self._call("GET", "/api/poll", None, self._token, f"code={self._code}")

    async def _call(self, method: str, path: str, body: object, token: str = "", query: str = "") -> Response:
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})

        async def read(limit: int) -> bytes | None:
            return content if len(content) <= limit else None

        reply = await self._app.handle(Request(method, path, query, headers, read, self._start, "2001:db8::1"))
        # What goes on behind the reply is a part of what the call costs.
        await asyncio.gather(*self._background)
        self._background.clear()
        if reply.status >= 300:
            raise RuntimeError(f"{path} was answered {reply.status}: {reply.body!r}")
        return reply

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._background.append(asyncio.ensure_future(work))


def text(count: int = CALLS) -> str:
    """For each call, of which `count` are made: its time without the profiler, and the functions that take most of
    it."""
    return "\n\n".join(asyncio.run(_profiled(name, count)) for name in ("create", "request", "response", "poll"))


async def _profiled(name: str, count: int) -> str:
    calls = Calls()
    await calls.open()
    for _ in range(count * 2 if name == "response" else 1):
        await calls.request()
    call: RequestContext = getattr(calls, name)
    started = time.process_time()
    for _ in range(count):
        await call()
    plain = (time.process_time() - started) / count * 1e6
    # Of CPU time: the machine may be busy with something else.
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    for _ in range(count):
        await call()
    profile.disable()
    printed = io.StringIO()
    pstats.Stats(profile, stream=printed).sort_stats("tottime").print_stats(SHOWN)
    rows = printed.getvalue().partition("ncalls")[2].rstrip()
    for folder in PLACES:
        rows = rows.replace(f"{folder}/", "")
    return f"{name}: {plain:.0f} µs a call under CPython; {count} calls profiled\n   ncalls{rows}"
