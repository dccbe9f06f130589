"""How soon a write is visible in the place where it was made: in a list, and to a reader."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bench.measure.progress import Progress
from tools.probe.caller import Caller, Target
from tools.probe.made import Made
from tools.probe.scale import LOOKS, Scale

AT_A_TIME = 3
"""Documents under way: each has a look every few seconds at the most."""

WRITE_PAUSE_SECONDS = 1.1
"""KV takes one write a second for a key."""


@dataclass
class Visibility:
    """Seconds from the reply to a write until the request whose reply shows it is sent; `None`: not within a minute.

    Figures other than 0 are upper bounds: the look before saw nothing yet. Reading a document takes a list and a get,
    so what is `read` later than `listed` was shown late by the get. `…_kv_ms`: what KV took for all of one request.
    """

    new_listed: list[float | None] = field(default_factory=list)
    new_read: list[float | None] = field(default_factory=list)
    change_listed: list[float | None] = field(default_factory=list)
    change_read: list[float | None] = field(default_factory=list)
    put_kv_ms: list[float] = field(default_factory=list)
    list_kv_ms: list[float] = field(default_factory=list)
    read_kv_ms: list[float] = field(default_factory=list)


async def visibility(target: Target, made: Made, scale: Scale, progress: Progress) -> Visibility:
    """Write documents on one connection and look for them on two others."""
    seen = Visibility()
    loop = asyncio.get_running_loop()
    latest = loop.time() + scale.section_seconds
    places = asyncio.Semaphore(AT_A_TIME)

    async with Caller(target) as writer, Caller(target) as lister, Caller(target) as getter:

        async def one(number: int) -> None:
            async with places:
                if loop.time() > latest:
                    return
                progress.step(f"document {number + 1}")
                await _one(f"probe-{number}", made, seen, writer, lister, getter)

        progress.expect(scale.documents)
        async with asyncio.TaskGroup() as group:
            for number in range(scale.documents):
                group.create_task(one(number))
    return seen


async def _one(name: str, made: Made, seen: Visibility, writer: Caller, lister: Caller, getter: Caller) -> None:
    def lists(etag: str) -> Callable[[], Awaitable[bool]]:
        async def look() -> bool:
            etags, told = await made.etags(lister)
            seen.list_kv_ms.append(told.kv_ms)
            return etags.get(name) == etag

        return look

    def reads(etag: str) -> Callable[[], Awaitable[bool]]:
        async def look() -> bool:
            reply = await made.get(getter, name)
            if reply.status == 200:
                seen.read_kv_ms.append(reply.told.kv_ms)
            shown: str | None = reply.http.headers.get("ETag")
            return shown == etag

        return look

    for version, listed, read in ((1, seen.new_listed, seen.new_read), (2, seen.change_listed, seen.change_read)):
        put = await made.put(writer, name, {"version": version})
        seen.put_kv_ms.append(put.told.kv_ms)
        etag = put.http.headers["ETag"]
        shown = await asyncio.gather(until(lists(etag), put.came), until(reads(etag), put.came))
        listed.append(shown[0])
        read.append(shown[1])
        await asyncio.sleep(WRITE_PAUSE_SECONDS)


async def until(look: Callable[[], Awaitable[bool]], since: float) -> float | None:
    """Seconds from `since` to the start of the first look that succeeds, 0 for the first one; `None` if none does."""
    loop = asyncio.get_running_loop()
    for number, pause in enumerate(LOOKS):
        await asyncio.sleep(pause)
        started = loop.time()
        if await look():
            return started - since if number else 0.0
    return None
