"""The bytes of all bodies have a bound together, and a smaller one for each address."""

import asyncio
import json
import sys

import pytest

from simulation.client import LowerHeaders, make_client, no_background
from simulation.virtual_time import VirtualClock
from tests.support.bodies import LoopAlarm, ScriptedBody
from tests.support.builders import SetClock
from waypost_worker.errors import Busy
from waypost_worker.http.body import read_body
from waypost_worker.http.body_budget import LOST_MS, BodyBudget, BodyShare
from waypost_worker.http.messages import Request
from waypost_worker.limits import BODY_MEMORY_FACTOR, MAX_ADDRESS_BODIES_BYTES, MAX_BODIES_BYTES, MAX_JSON_ELEMENTS

HERE = "192.0.2.1"


def filled(budget: BodyBudget) -> list[BodyShare]:
    """Shares of as many addresses as it takes to spend all of `budget`."""
    shares = []
    while budget.bytes < MAX_BODIES_BYTES:
        shares.append(budget.share(f"192.0.2.{len(shares)}"))
        shares[-1].take(min(MAX_ADDRESS_BODIES_BYTES, MAX_BODIES_BYTES - budget.bytes))
    return shares


def test_an_address_has_a_bound_of_its_own():
    budget = BodyBudget(SetClock())
    share = budget.share(HERE)
    share.take(MAX_ADDRESS_BODIES_BYTES - 1)
    budget.share(HERE).take(1)
    with pytest.raises(Busy):
        budget.share(HERE).take(1)
    budget.share("192.0.2.2").take(1)
    share.release()
    budget.share(HERE).take(1)


def test_a_network_of_one_customer_is_one_address():
    budget = BodyBudget(SetClock())
    budget.share("2001:db8::1").take(MAX_ADDRESS_BODIES_BYTES)
    with pytest.raises(Busy):
        budget.share("2001:db8::2").take(1)


def test_all_addresses_have_a_bound_together():
    budget = BodyBudget(SetClock())
    shares = filled(budget)
    with pytest.raises(Busy) as refused:
        budget.share("198.51.100.1").take(1)
    assert refused.value.retry_after_seconds == 1
    shares[0].release()
    budget.share("198.51.100.1").take(1)


def test_what_is_released_leaves_nothing_behind():
    budget = BodyBudget(SetClock())
    shares = filled(budget)
    shares[0].take(0)
    for share in shares * 2:
        share.release()
    assert (budget.bytes, budget.by_address, budget.shares) == (0, {}, {})


def test_what_the_platform_ended_without_a_word_is_given_back_when_room_is_needed():
    clock = SetClock()
    budget = BodyBudget(clock)
    filled(budget)
    clock.ms += LOST_MS - 1
    with pytest.raises(Busy):
        budget.share("198.51.100.1").take(1)
    clock.ms += 1
    budget.share("198.51.100.1").take(1)
    assert budget.bytes == 1


async def test_a_body_is_not_read_beyond_the_chunk_for_which_there_is_no_room():
    budget = BodyBudget(VirtualClock())
    budget.share(HERE).take(MAX_ADDRESS_BODIES_BYTES - 10)
    body, alarm = ScriptedBody([(1, b"x" * 6), (1, b"x" * 6), (1, None)]), LoopAlarm()
    with pytest.raises(Busy):
        await read_body(body, 100, VirtualClock(), alarm, budget.share(HERE))
    assert (body.is_read, alarm.ringing) == (2, 0)


async def test_slow_bodies_of_one_address_are_refused_beyond_its_bound_and_others_are_served():
    client = make_client()
    budget = client.app.isolate.bodies

    async def post(address: str, size: int) -> int:
        share = budget.share(address)

        async def read(limit: int) -> bytes | None:
            chunks = [(6.0, b" " * (size // 8))] * 7
            return await read_body(
                ScriptedBody([(0, b"{}"), *chunks, (0, None)]), limit, client.app.clock, LoopAlarm(), share
            )

        headers = LowerHeaders({"Content-Type": "application/json"})
        request = Request("PUT", f"/api/conversations/c-{address}-{size}", "", headers, read, no_background, address)
        try:
            return (await client.app.handle(request)).status
        finally:
            share.release()

    slow = [asyncio.ensure_future(post(HERE, 2_000_000)) for _ in range(8)]
    await asyncio.sleep(45)
    assert await post("198.51.100.1", 100) != 503
    statuses = [await one for one in slow]
    assert statuses.count(503) >= 4
    assert budget.bytes == 0


def counted(body: bytes) -> int:
    """What the whole of `body` counts."""
    budget = BodyBudget(SetClock())
    share = budget.share(HERE)
    share.take(len(body))
    share.take_decoding(body)
    return budget.bytes


def test_a_body_of_many_small_values_counts_what_it_takes_when_decoded():
    lists = b"[" + b",".join([b"[]"] * MAX_JSON_ELEMENTS) + b"]"
    values = json.loads(lists)
    taken = sys.getsizeof(values) + sum(map(sys.getsizeof, values))
    assert counted(lists) * BODY_MEMORY_FACTOR >= taken > len(lists) * BODY_MEMORY_FACTOR


def test_a_usual_body_counts_its_bytes():
    text = json.dumps({"message": "How is the weather, and will it rain? " * 100, "threadId": "t", "resourceId": "r"})
    assert counted(text.encode()) == len(text)
    assert counted(b"") == 0


def test_a_body_alone_always_fits():
    assert counted(b"[" * MAX_ADDRESS_BODIES_BYTES) == MAX_ADDRESS_BODIES_BYTES


@pytest.mark.parametrize("pieces", [1, 2], ids=["in one piece", "in several"])
async def test_bodies_of_many_small_values_of_one_address_are_refused_together(pieces: int):
    budget = BodyBudget(SetClock())
    body = b"[" + b",".join([b"[]"] * MAX_JSON_ELEMENTS) + b"]"
    step = len(body) // pieces + 1
    chunks = [(0, body[start : start + step]) for start in range(0, len(body), step)]

    async def send() -> bytes | None:
        share = budget.share(HERE)
        return await read_body(ScriptedBody(chunks), len(body), VirtualClock(), LoopAlarm(), share, len(body))

    # Their bytes alone would fit ten times more often.
    assert [await send() for _ in range(7)] == [body] * 7
    with pytest.raises(Busy):
        await send()
