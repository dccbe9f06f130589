"""The budget of a session is counted while the session is read, and no refusal changes its place or its price."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

import pytest

from simulation.client import Client, Opened, make_client
from simulation.counting_kv import CountingKv
from simulation.virtual_time import VirtualClock
from tests.support.limiters import Budget
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.limits import SESSION_CACHE_SECONDS
from waypost_worker.security.rate_limits import Limit

P = ParamSpec("P")
T = TypeVar("T")


class Prompt:
    """Begins to count when it is asked, as the platform's does, and takes `seconds` for it."""

    def __init__(self, seconds: float, uses: int = 1000) -> None:
        self.seconds = seconds
        self.budget = Budget(uses)

    def allows(self, key: str) -> Awaitable[bool]:
        return asyncio.ensure_future(self._allows(key))

    async def _allows(self, key: str) -> bool:
        allowed = await self.budget.allows(key)
        await asyncio.sleep(self.seconds)
        return allowed


class SlowKv(CountingKv):
    """Takes a second for each operation."""

    async def _around(self, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        await asyncio.sleep(1)
        return await super()._around(operation, *args, **kwargs)


async def opened(**limiters: Any) -> tuple[Client, Opened, SlowKv]:
    kv = SlowKv(MemoryKv(VirtualClock()))
    client = make_client(kv=kv, limiters={Limit[name]: limiter for name, limiter in limiters.items()})
    session = await client.open_session()
    # The isolate has forgotten the session's record.
    await asyncio.sleep(SESSION_CACHE_SECONDS)
    kv.count.clear()
    return client, session, kv


async def seconds_of(call: Awaitable[Any]) -> tuple[int, float]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    reply = await call
    return reply.status, round(loop.time() - began, 1)


@pytest.mark.parametrize(("seconds", "takes"), [(0.5, 2.0), (1.5, 2.5)])
async def test_the_budget_is_counted_while_the_session_is_read(seconds: float, takes: float):
    client, session, _ = await opened(REQUEST=Prompt(seconds))
    assert await seconds_of(client.ask(session.code)) == (202, takes)
    await asyncio.sleep(SESSION_CACHE_SECONDS)
    token = await client.join(session.code)
    await asyncio.sleep(SESSION_CACHE_SECONDS)
    body = {"code": session.code, "tool": "echo"}
    assert await seconds_of(client.call("POST", "/api/request", body, token=token)) == (202, takes)


async def test_a_response_is_counted_while_the_session_is_read():
    client, session, _ = await opened(REQUEST=Prompt(1.5))
    # The budget, the write and the removal.
    assert await seconds_of(client.answer(session, "r1", final=False)) == (202, 2.5)


async def test_a_session_that_is_over_its_budget_is_written_nothing():
    client, session, kv = await opened(REQUEST=Prompt(1.5, uses=0))
    assert (await client.ask(session.code)).status == 429
    assert (await client.answer(session, "r1")).status == 429
    assert "write" not in kv.count


async def test_what_is_wrong_with_the_code_is_said_before_the_budget_and_counts_as_a_guess():
    request, misses = Prompt(1.5, uses=0), Budget(2)
    client, _, _ = await opened(REQUEST=request, MISS=misses)
    for code in ("AAAAAAAA", "BBBBBBBB"):
        assert (await client.ask(code)).json()["code"] == "session_not_found"
    assert [*misses.counts.values()] == [2]
    refused = await client.ask("CCCCCCCC")
    assert refused.json()["detail"].startswith("Too many unknown codes")


async def test_a_blocked_address_spends_the_budget_of_no_session():
    request = Prompt(0)
    client, session, _ = await opened(REQUEST=request, MISS=Budget(0))
    assert (await client.ask("AAAAAAAA")).status == 429
    request.budget.counts.clear()
    assert (await client.ask(session.code)).status == 429
    assert request.budget.counts == {}


async def test_a_token_of_another_session_spends_the_budget_of_none():
    request = Prompt(0)
    client, session, _ = await opened(REQUEST=request)
    other = await client.open_session()
    body = {"code": session.code, "tool": "echo"}
    reply = await client.call("POST", "/api/request", body, token=await client.join(other.code))
    assert reply.json()["code"] == "wrong_session"
    assert (await client.answer(Opened(session.code, other.host), "r1")).json()["code"] == "wrong_session"
    assert request.budget.counts == {}


async def test_a_code_that_was_served_over_its_budget_is_looked_up_from_a_blocked_address():
    client, session, _ = await opened(REQUEST=Prompt(0, uses=0), MISS=Budget(0))
    assert (await client.ask(session.code)).json()["detail"].startswith("Too many requests or responses")
    assert (await client.ask("AAAAAAAA")).status == 429
    assert (await client.ask(session.code)).json()["detail"].startswith("Too many requests or responses")
