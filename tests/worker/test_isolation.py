"""The tables of who may call what, held against the Worker in workerd: what must be refused is, and nothing is shown.

What a call that is allowed changes is left to `tests/handlers/test_isolation.py`, which can look into the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from uuid import uuid4

import httpx
import pytest

from tests.support.http_api import new_address
from tests.support.isolation.calls import Sent, make_call
from tests.support.isolation.slots import slot_rows
from tests.support.isolation.table import access_rows
from tests.support.isolation.verdict import Case, access_cases, check_reply, slot_cases
from tests.support.isolation.world import APP_KEY, Answered, World, build_world
from tools.local.harness.worker import LocalWorker

MOMENT_SECONDS = 0.7
"""How long a stream is listened to that may not end."""

AT_ONCE = 8
READ = (
    "GET /api/poll",
    "GET /api/conversations/{sessionId}",
    "GET /api/sessions/{sid}/intents",
    "GET /api/sessions/{sid}/theme",
    "GET /api/sessions/{sid}/documents",
    "GET /api/sessions/{sid}/documents/{name}",
    "GET /api/sessions/{sid}/pages",
    "GET /api/pages/{intentId}",
    "GET /api/sessions",
)
"""The calls that show all that a world has to its owner."""


@pytest.fixture(scope="module")
def keyed() -> Iterator[LocalWorker]:
    """A Worker whose threads are for apps only."""
    with LocalWorker(APP_KEYS=APP_KEY) as worker:
        yield worker


class Sender:
    """Calls the Worker, each time from another address: wrong codes and tokens are counted."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=120, limits=httpx.Limits(max_connections=100))
        self._held = AsyncExitStack()
        self._moment: float | None = None

    def listen_for_moments(self) -> None:
        """From now on; before, each stream is heard to its end, as that of the answer that a world begins with."""
        self._moment = MOMENT_SECONDS

    async def __call__(self, sent: Sent, *, hold: bool = False) -> Answered:
        headers = {**sent.headers, "CF-Connecting-IP": new_address()}
        opening = self._http.stream(sent.method, sent.url, headers=headers, content=sent.body)
        if hold:
            reply = await self._held.enter_async_context(opening)
            return Answered(reply.status_code, dict(reply.headers), await anext(reply.aiter_bytes()))
        chunks: list[bytes] = []
        async with opening as reply:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._moment if _is_stream(reply) else None):
                    async for chunk in reply.aiter_bytes():
                        chunks.append(chunk)
        return Answered(reply.status_code, dict(reply.headers), b"".join(chunks))

    async def close(self) -> None:
        await self._held.aclose()
        await self._http.aclose()


def _is_stream(reply: httpx.Response) -> bool:
    return "event-stream" in reply.headers.get("content-type", "")


def cases(own: World, other: World) -> list[Case]:
    """Every row that is refused, or only reads."""
    found = [case for route in access_rows() for case in access_cases(route, own, other)]
    for route in dict.fromkeys(row[0] for row in slot_rows()):
        found += slot_cases(route, own, other)
    return [case for case in found if case.is_refused or case.outcome == "nothing" or case.sent.method == "GET"]


async def what_is_there(send: Sender, world: World) -> list[bytes]:
    calls = [make_call(route, world.ids, APP_KEY if route == "GET /api/sessions" else None) for route in READ]
    calls += [make_call("GET /api/poll", world.ids, world.tokens["host"])]
    return [(await send(call)).body for call in calls]


async def check_all(url: str) -> int:
    send = Sender(url)
    turns = asyncio.Semaphore(AT_ONCE)

    async def check(case: Case) -> None:
        async with turns:
            check_reply(case, await send(case.sent), own, other)

    try:
        own, other = await asyncio.gather(*(build_world(f"{name}-{uuid4()}", send) for name in ("ada", "bob")))
        send.listen_for_moments()
        before = [await what_is_there(send, world) for world in (own, other)]
        tried = cases(own, other)
        await asyncio.gather(*map(check, tried))
        assert [await what_is_there(send, world) for world in (own, other)] == before
        return len(tried)
    finally:
        await send.close()


def test_what_is_anothers_opens_changes_and_shows_nothing(keyed: LocalWorker) -> None:
    assert asyncio.run(check_all(keyed.url)) > 200
