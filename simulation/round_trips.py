"""Counts the KV round trips, one after another, that a caller waits for.

Each operation of the store takes one unit of virtual time and nothing else takes any. What a caller waits is then the
number of operations on its critical path: operations that run concurrently count once, and those in the background not
at all. The figures are exact and the same on every machine.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from simulation.client import KEY, Client, make_client
from simulation.counting_kv import CountingKv
from simulation.profiles import PLACED
from simulation.virtual_time import VirtualClock, run
from waypost_worker.kv.delegating import DelegatingKv
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.models.model import Model
from waypost_worker.polling.plans import PAID
from waypost_worker.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

UNIT_SECONDS = 0.01
"""How long an operation takes: so short that no timer of the Worker runs out while a caller waits."""

SETTLING_SECONDS = 40
"""Longer than a stream takes to find its pace, and than anything goes on in the background."""

PAUSE_SECONDS = 2
"""Between two calls: longer than a call takes, and shorter than an isolate remembers a session."""

TOOLS = [{"name": "work", "description": "Works.", "inputSchema": {"type": "object"}}]


class UnitKv(DelegatingKv):
    """A store whose every operation takes a unit; its effect is visible at the end of it."""

    async def _around(self, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        await asyncio.sleep(UNIT_SECONDS)
        return await operation(*args, **kwargs)


class WaitsForATimer(AssertionError):
    """A caller waited for something that is no operation of the store."""


def units_of(seconds: float) -> int:
    """The operations that took so long.

    Raises:
        WaitsForATimer: it is no whole number of them.
    """
    count = round(seconds / UNIT_SECONDS)
    if abs(seconds / UNIT_SECONDS - count) > 0.1:
        raise WaitsForATimer(f"{seconds:.4f} s are no whole number of operations")
    return count


@dataclass(frozen=True)
class Waited:
    """What one call came to: the round trips that its caller waited for, one after another, and the operations by their
    price, with those that went on in the background."""

    round_trips: int
    operations: Counter[str]


class Scene:
    """A session in use, or none yet: a tab and its agent in one isolate, or each in one of its own."""

    def __init__(self, *, same_isolate: bool = True, model: Model | None = None) -> None:
        self.kv = kv = CountingKv(UnitKv(MemoryKv(VirtualClock())))
        settings = Settings(signing_keys=(KEY,), plan=PAID)
        self.tab: Client = make_client(settings, kv, seed=1, model=model)
        self.agent: Client = self.tab if same_isolate else make_client(settings, kv, seed=2, model=model)
        for client in (self.tab, self.agent):
            client.headers |= PLACED
        self._streams: list[asyncio.Task[None]] = []
        self._work: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Opens the session, and settles."""
        opened = (await self.tab.call("POST", "/api/sessions", {})).json()
        self.code, self.token = opened["code"], opened["hostToken"]
        reply = await self.tab.call("PUT", f"/api/sessions/{self.code}/tools", {"tools": TOOLS}, token=self.token)
        assert reply.status == 200, reply
        await self.settle()

    async def waited(self, call: Coroutine[Any, Any, float | None]) -> Waited:
        """What `call` waits for; the virtual seconds that it returns, if any, are not counted."""
        clock = asyncio.get_running_loop().time
        before, counted = clock(), self.kv.count.copy()
        silent = await call or 0.0
        seconds = clock() - before - silent
        await asyncio.gather(*self.tab.background, *self.agent.background, *self._work)
        return Waited(units_of(seconds), self.kv.count - counted)

    async def settle(self) -> None:
        """Waits until nothing is going on in the background."""
        await asyncio.sleep(SETTLING_SECONDS)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work` beside the story."""
        self._work.append(asyncio.get_running_loop().create_task(work))

    async def listen(self, on_message: Callable[[dict[str, Any]], Awaitable[None]], *, as_host: bool) -> None:
        """Opens a stream of the host or the guest, and settles."""
        reading = self._read(on_message, self.tab if as_host else self.agent, self.token if as_host else None)
        self._streams.append(asyncio.get_running_loop().create_task(reading))
        await self.settle()

    async def _read(
        self, on_message: Callable[[dict[str, Any]], Awaitable[None]], client: Client, token: str | None
    ) -> None:
        headers = {"Accept": "application/x-ndjson"}
        response = await client.open("GET", f"/api/stream?code={self.code}", token=token, headers=headers)
        assert isinstance(response.body, AsyncGenerator), response
        async for chunk in response.body:
            for event in map(json.loads, chunk.splitlines()):
                if event["event"] in ("request", "response"):
                    await on_message(event["data"])

    async def respond(self, request: dict[str, Any]) -> None:
        """The host's response to a request, immediately; its 202 is not waited for before the next one."""
        body = {"code": self.code, "id": request["id"], "result": True}
        self.start(self.call(self.tab, "POST", "/api/response", body, token=self.token))

    async def ask(self, query: str = "", **fields: Any) -> None:
        """A request of the agent."""
        await self.call(self.agent, "POST", f"/api/request{query}", {"code": self.code, "tool": "work", **fields})

    async def warm_up(self, query: str = "") -> None:
        """A request, and a pause: the next one finds what an isolate knows of a session in use."""
        await self.ask(query)
        await asyncio.sleep(PAUSE_SECONDS)

    async def call(self, client: Client, method: str, url: str, body: Any = None, **options: Any) -> None:
        """A call that succeeds."""
        reply = await client.call(method, url, body, **options)
        assert reply.status < 300, reply

    async def close(self) -> None:
        """Ends the streams."""
        for task in self._streams:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def counted(story: Callable[[Scene], Awaitable[Waited]], **options: Any) -> Waited:
    """What one story, which is given a scene made with `options`, came to."""

    async def told() -> Waited:
        scene = Scene(**options)
        count = await story(scene)
        await scene.close()
        return count

    return run(told())
