"""A message from another isolate wakes its reader by the wake-up key; without it, the next list finds it."""

import asyncio
from dataclasses import replace

import pytest

from simulation.client import Client
from simulation.profiles import PLACED
from simulation.seeded_random import SeededRandom
from simulation.virtual_time import VirtualClock
from tests.support.builders import CODE, make_loads
from tests.support.event_streams import Setting, after, host_stream
from tests.support.listener import listen
from waypost_worker.kv.cursor import CursorFactory
from waypost_worker.kv.keys import requests_scope, responses_scope, wake_up_key
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.metered import MeteredKv, Payment
from waypost_worker.polling.invocation import Invocation
from waypost_worker.polling.plans import FREE, PAID, Plan
from waypost_worker.polling.wake_up_key import WakeUps, WakeUpWriter, create_wake_up_key
from waypost_worker.queues.message_channel import MessageChannel
from waypost_worker.queues.queue import Queues
from waypost_worker.queues.response_waiter import ResponseWaiter

WAKE_UP = PAID.wake_up_max_ms / 1000 + 0.6
SHORT = replace(PAID, stream_seconds=60)


class Two(Setting):
    """A host's isolate, `client`, and another one."""

    def __init__(self, plan: Plan = PAID) -> None:
        super().__init__(plan)
        self.elsewhere = self.isolate(1)
        for client in (self.client, self.elsewhere):
            client.headers |= PLACED

    def isolate(self, seed: int) -> Client:
        client = super().isolate(seed)
        client.headers |= PLACED
        return client

    def asked_for(self, operation: str, prefix: str) -> int:
        """How often since the last call, which is of another kind of operation."""
        return sum(name == operation and key.startswith(prefix) for name, key in self.kv.asked)


async def test_a_request_from_another_isolate_reaches_an_idle_host_without_another_list():
    at = Two()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(30)
    at.kv.asked.clear()
    await at.elsewhere.ask(session.code)
    await after(WAKE_UP)
    assert len(stream.data("request")) == 1
    assert at.asked_for("list", "req:") == 1
    await stream.stop()


async def test_an_idle_host_lists_once_in_more_than_a_minute():
    at = Two()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(1)
    at.kv.asked.clear()
    await after(PAID.asleep_poll_ms / 1000 + 1)
    assert at.asked_for("list", "req:") == 1
    assert at.asked_for("get", "wake:") > 20
    await stream.stop()


async def test_a_request_whose_wake_up_is_lost_is_found_by_the_next_list():
    at = Two()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(10)
    at.kv.fails = lambda operation, key: operation == "put" and key.startswith("wake:")
    await at.elsewhere.ask(session.code)
    await after(WAKE_UP)
    assert stream.data("request") == []
    await after(PAID.asleep_poll_ms / 1000)
    assert len(stream.data("request")) == 1
    await stream.stop()


async def test_where_the_host_listens_in_the_same_isolate_no_key_is_written():
    at = Two()
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(1)
    waiting = asyncio.ensure_future(at.client.ask(session.code, wait=10))
    await stream.until_event(2)
    await at.client.answer(session, stream.data("request")[0]["id"], 7)
    assert (await waiting).json()["result"] == 7
    await after(2)
    assert await at.store.get(wake_up_key(requests_scope(session.code))) == "-"
    assert await at.store.get(wake_up_key(responses_scope(session.code))) == "-"
    await stream.stop()


async def test_a_response_wakes_the_one_that_waits_for_it_elsewhere_and_no_list_is_wasted_on_others():
    at = Two()
    session = await at.client.open_session()
    waiting = asyncio.ensure_future(at.elsewhere.ask(session.code, id="mine", wait=30))
    other = asyncio.ensure_future(at.elsewhere.ask(session.code, id="other", wait=8))
    await after(5)
    at.kv.asked.clear()
    await at.client.answer(session, "mine", 7)
    began = asyncio.get_running_loop().time()
    assert (await waiting).json()["result"] == 7
    assert asyncio.get_running_loop().time() - began <= PAID.wake_up_wait_max_ms / 1000 + 0.1
    assert at.asked_for("list", f"res:{session.code}:mine:") == 1
    assert at.asked_for("list", f"res:{session.code}:other:") == 0
    assert (await other).status == 202


async def test_progress_wakes_the_one_that_waits_once():
    at = Two()
    session = await at.client.open_session()
    waiting = asyncio.ensure_future(at.elsewhere.ask(session.code, id="mine", wait=12))
    await after(1)
    at.kv.asked.clear()
    await at.client.answer(session, "mine", 1, final=False)
    await after(6)
    assert at.asked_for("list", f"res:{session.code}:mine:") == 1
    assert (await waiting).status == 202


async def test_a_guests_stream_is_woken_for_a_response():
    at = Two()
    session = await at.client.open_session()
    stream = await listen(at.elsewhere, f"/api/stream?code={session.code}")
    await after(30)
    await at.client.ask(session.code, id="mine")
    await at.client.answer(session, "mine", 7)
    await after(WAKE_UP)
    assert [data["result"] for data in stream.data("response")] == [7]
    await stream.stop()


async def test_a_poll_that_waits_is_woken():
    at = Two()
    session = await at.client.open_session()
    poll = asyncio.ensure_future(at.client.poll(session.code, session.host, wait=30))
    await after(5)
    await at.elsewhere.ask(session.code)
    began = asyncio.get_running_loop().time()
    assert len((await poll)["messages"]) == 1
    assert asyncio.get_running_loop().time() - began < 2


@pytest.mark.parametrize(("plan", "is_placed", "uses"), [(PAID, False, False), (PAID, True, True), (FREE, False, True)])
async def test_the_paid_plan_uses_keys_where_the_worker_is_placed_and_the_free_one_everywhere(
    plan: Plan, is_placed: bool, uses: bool
):
    at = Two(plan)
    if not is_placed:
        at.client.headers.clear()
    session = await at.client.open_session()
    assert bool(await at.keys("wake:")) == uses
    stream = await host_stream(at, session)
    await after(60)
    assert bool(at.asked_for("get", "wake:")) == uses
    await stream.stop()


async def test_a_session_that_was_opened_without_keys_is_listed_as_often_as_ever():
    at = Two()
    at.client.headers.clear()
    session = await at.client.open_session()
    at.client.headers |= PLACED
    stream = await host_stream(at, session)
    await after(60)
    assert at.asked_for("list", "req:") > 10
    assert not at.asked_for("get", "wake:")
    waiting = asyncio.ensure_future(at.elsewhere.ask(session.code, id="mine", wait=30))
    await after(5)
    await at.client.answer(session, "mine", 7)
    assert (await waiting).json()["result"] == 7
    await stream.stop()


async def test_a_key_that_is_not_visible_yet_is_replaced_by_lists():
    at = Two()
    session = await at.client.open_session()
    await at.store.delete(wake_up_key(requests_scope(session.code)))
    stream = await host_stream(at, session)
    await after(60)
    assert at.asked_for("get", "wake:") == 1
    assert at.asked_for("list", "req:") > 10
    await stream.stop()


async def test_a_session_whose_keys_can_not_be_written_is_not_opened():
    at = Two()
    at.kv.fails = lambda operation, key: operation == "put" and key.startswith("wake:")
    assert (await at.client.call("POST", "/api/sessions", {})).status == 503


async def test_a_wait_whose_readings_are_not_paid_for_any_more_ends():
    clock = VirtualClock()
    meter = MeteredKv(MemoryKv(clock), clock, 1000)
    paid = []

    async def pay() -> bool:
        paid.append(1)
        return False

    meter.payment = Payment(pay, 1)
    channel = MessageChannel(clock)
    nothing = WakeUpWriter(meter, clock, WakeUps(), lambda work: work.close())
    cursors = CursorFactory(clock, SeededRandom(0))
    queues = Queues(meter, CODE, cursors, channel, 3600, make_loads(clock), nothing)
    await create_wake_up_key(meter.kv, queues.responses)
    waiter = ResponseWaiter(queues, channel, Invocation(PAID, clock, meter, SeededRandom(0)))
    assert await waiter.next("mine", clock.now_ms() + 3_600_000) is None
    assert paid
    assert clock.now_ms() < VirtualClock().now_ms() + 1


async def test_the_next_stream_of_a_host_knows_what_the_key_has_named():
    at = Two(SHORT)
    session = await at.client.open_session()
    stream = await host_stream(at, session)
    await after(10)
    await at.elsewhere.ask(session.code)
    await stream.until_over()
    at.kv.asked.clear()
    headers = {"Last-Event-ID": stream.events[-1].id}
    stream = await listen(at.client, f"/api/stream?code={session.code}", token=session.host, headers=headers)
    await after(20)
    assert at.asked_for("get", "wake:") > 5
    assert at.asked_for("list", "req:") == 0
    await stream.stop()
