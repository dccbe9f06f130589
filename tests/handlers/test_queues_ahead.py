"""Messages are delivered ahead of their writes where their reader listens, and promised after them."""

import asyncio
from typing import Any

import pytest

from simulation.client import Opened, Reply
from tests.support.event_streams import PLAN, host_stream
from tests.support.listener import Listener, listen
from tests.support.namespace import Isolates
from tests.support.queues import LARGE
from tests.support.slow_messages import WRITE_SECONDS, SlowKv
from waypost_worker.kv.keys import requests_scope, responses_scope


class Setting(Isolates):
    """An isolate on a slow store, with a session."""

    session: Opened
    store: SlowKv

    def __init__(self) -> None:
        super().__init__(plan=PLAN)
        self.store = SlowKv(self.clock)
        self.kv.kv = self.store

    async def begin(self) -> Listener:
        self.session = await self.client.open_session()
        stream = await host_stream(self, self.session)
        await stream.until_event(1)
        return stream

    def ask(self, **options: Any) -> asyncio.Future[Reply]:
        return asyncio.ensure_future(self.client.ask(self.session.code, **options))

    def answer(self, request_id: str, result: Any = 7) -> asyncio.Future[Reply]:
        return asyncio.ensure_future(self.client.answer(self.session, request_id, result))

    async def requests(self) -> list[str]:
        return await self.keys(requests_scope(self.session.code))

    async def responses(self) -> list[str]:
        return await self.keys(responses_scope(self.session.code))


def now() -> float:
    return round(asyncio.get_running_loop().time(), 2)


@pytest.mark.parametrize("text", ["small", LARGE])
async def test_a_call_in_one_isolate_waits_for_no_write_and_both_messages_are_written(text: str):
    at = Setting()
    stream = await at.begin()
    began = now()
    asking = at.ask(wait=60, args={"text": text})
    await stream.until_event(2)
    [request] = stream.data("request")
    assert request["args"] == {"text": text}
    answering = at.answer(request["id"], text)
    reply = await asking
    assert (reply.status, reply.json()["result"]) == (200, text)
    assert now() == began
    assert await at.requests() == await at.responses() == []
    assert (await answering).status == 202
    assert now() == began + WRITE_SECONDS
    assert len(await at.responses()) == 1
    await asyncio.sleep(2)
    assert await at.requests() == []
    await stream.stop()


async def test_202_is_said_when_the_request_is_written():
    at = Setting()
    stream = await at.begin()
    began = now()
    asking = at.ask()
    await stream.until_event(2)
    assert now() == began
    assert (await asking).status == 202
    assert now() == began + WRITE_SECONDS
    assert len(await at.requests()) == 1
    await stream.stop()


async def test_a_message_without_a_reader_in_its_isolate_is_written_first():
    at = Setting()
    stream = await at.begin()
    await stream.stop()
    asking = at.ask()
    await asyncio.sleep(1)
    assert at.client.app.isolate.messages.since(requests_scope(at.session.code), 0) == []
    assert (await asking).status == 202
    assert len(at.client.app.isolate.messages.since(requests_scope(at.session.code), 0)) == 1


async def test_a_request_that_is_not_stored_is_503_and_its_repeat_gets_the_first_response():
    at = Setting()
    stream = await at.begin()
    at.store.refused, at.store.seconds = ("req:",), 0.1
    asking = at.ask(id="mine", wait=60)
    await stream.until_event(2)
    reply = await asking
    assert (reply.status, reply.json()["code"]) == (503, "storage_unavailable")
    assert now() < 10
    at.store.refused = ()
    again = at.ask(id="mine", wait=60)
    await asyncio.sleep(1)
    assert len(await at.requests()) == 1
    assert (await at.answer("mine", "first")).status == 202
    assert (await again).json()["result"] == "first"
    await asyncio.sleep(3)
    assert (len(stream.data("request")), await at.requests()) == (1, [])
    await stream.stop()


async def test_a_request_that_is_not_stored_keeps_its_id_for_the_same_call():
    at = Setting()
    stream = await at.begin()
    at.store.refused, at.store.seconds = ("req:",), 0.1
    assert (await at.ask(id="mine", args={"n": 1})).status == 503
    at.store.refused = ()
    assert (await at.ask(id="mine", args={"n": 2})).status == 409
    assert (await at.ask(id="mine", args={"n": 1})).status == 202
    await stream.stop()


async def test_a_response_that_is_not_stored_has_reached_its_caller_and_its_host_sends_it_again():
    at = Setting()
    stream = await at.begin()
    at.store.refused, at.store.seconds = ("res:",), 0.1
    asking = at.ask(id="mine", wait=60)
    await stream.until_event(2)
    answering = at.answer("mine", "first")
    assert (await asking).json()["result"] == "first"
    assert (await answering).status == 503
    # Nothing says that the request is answered: another host gets it.
    polled = await at.client.poll(at.session.code, at.session.host)
    assert [message["data"]["id"] for message in polled["messages"]] == ["mine"]
    at.store.refused = ()
    assert (await at.answer("mine", "first")).status == 202
    assert (await at.client.ask(at.session.code, id="mine")).json()["result"] == "first"
    await asyncio.sleep(3)
    assert await at.requests() == []
    await stream.stop()


async def test_while_its_response_is_written_a_request_is_neither_delivered_again_nor_given_up():
    at = Setting()
    stream = await at.begin()
    at.store.seconds = 0
    await at.ask(id="mine")
    guest = await listen(at.client, f"/api/stream?code={at.session.code}")
    await guest.until_event(1)
    at.store.seconds = WRITE_SECONDS
    answering = at.answer("mine")
    await guest.until_event(2)
    assert (await at.client.poll(at.session.code, at.session.host))["messages"] == []
    assert (await answering).status == 202
    assert (await at.client.poll(at.session.code, at.session.host))["messages"] == []
    await guest.stop()
    await stream.stop()


async def test_a_request_that_is_answered_while_it_is_written_is_removed_after_that():
    at = Setting()
    stream = await at.begin()
    asking = at.ask(wait=60, id="mine")
    await stream.until_event(2)
    at.store.seconds = 0
    assert (await at.answer("mine")).status == 202
    assert (await asking).status == 200
    assert await at.requests() == []
    await asyncio.sleep(WRITE_SECONDS + 0.1)
    assert await at.requests() == []
    await stream.stop()


async def test_an_acknowledgement_waits_for_the_write_that_it_belongs_to():
    at = Setting()
    stream = await at.begin()
    asking = at.ask(id="mine")
    await stream.until_event(2)
    body = {"code": at.session.code, "cursors": [stream.data("request")[0]["cursor"]]}
    reply = await at.client.call("POST", "/api/ack", body, token=at.session.host)
    assert reply.json()["acknowledged"] == 1
    assert now() >= WRITE_SECONDS
    await asking
    assert await at.requests() == []
    await stream.stop()


async def test_a_request_that_is_cancelled_while_it_is_written_is_removed():
    at = Setting()
    stream = await at.begin()
    asking = at.ask(id="mine", wait=60)
    await stream.until_event(2)
    cancelling = await at.client.call("POST", "/api/request/mine/cancel", {"code": at.session.code})
    assert cancelling.status == 202
    assert (await asking).json()["error"]["code"] == "cancelled"
    assert stream.names()[1:] == ["request", "cancel"]
    polled = await at.client.poll(at.session.code, at.session.host)
    assert [message["event"] for message in polled["messages"]] == ["cancel"]
    await stream.stop()


async def test_a_host_that_connects_while_a_request_is_written_gets_it_immediately():
    at = Setting()
    first = await at.begin()
    asking = at.ask(id="mine")
    await first.until_event(2)
    began = now()
    second = await host_stream(at, at.session)
    await second.until_event(2)
    assert (second.names(), now()) == (["ready", "request"], began)
    assert (await asking).status == 202
    await asyncio.sleep(20)
    assert second.names() == ["ready", "request"]
    await first.stop()
    await second.stop()


async def test_a_host_that_comes_back_goes_on_while_a_request_is_written_and_has_it_once():
    at = Setting()
    stream = await at.begin()
    asking = at.ask(id="mine")
    await stream.until_event(2)
    await stream.stop()
    again = await host_stream(at, at.session, headers={"Last-Event-ID": stream.events[1].id})
    await again.until_event(2)
    assert again.data("request")[0]["replay"] is True
    assert (await asking).status == 202
    await asyncio.sleep(20)
    assert again.names() == ["ready", "request"]
    await again.stop()


async def test_a_client_that_leaves_does_not_end_the_write_of_what_is_delivered():
    at = Setting()
    stream = await at.begin()
    asking = at.ask(id="mine")
    await stream.until_event(2)
    asking.cancel()
    await asyncio.sleep(WRITE_SECONDS + 0.1)
    assert len(await at.requests()) == 1
    await stream.stop()


async def test_a_repeat_gets_the_response_that_is_being_written():
    at = Setting()
    stream = await at.begin()
    asking = at.ask(id="mine", wait=60)
    await stream.until_event(2)
    answering = at.answer("mine", LARGE)
    assert (await asking).json()["result"] == LARGE
    at.operations()
    assert (await at.client.ask(at.session.code, id="mine")).json()["result"] == LARGE
    assert at.operations() == []
    await answering
    await stream.stop()


async def test_what_is_used_up_for_the_day_delivers_nothing_ahead():
    at = Setting()
    stream = await at.begin()
    at.client.app.isolate.daily_limits.refused("put")
    assert (await at.ask(id="mine", wait=60)).json()["code"] == "daily_limit"
    assert stream.names() == ["ready"]
    await stream.stop()


async def test_a_request_whose_removal_was_lost_is_removed_by_the_next_stream_and_not_delivered():
    at = Setting()
    at.store.seconds = 0
    stream = await at.begin()
    await at.ask(id="mine", producer="p", seq=1)
    await stream.until_event(2)
    await stream.stop()
    at.kv.fails = lambda operation, _: operation == "delete"
    assert (await at.answer("mine")).status == 202
    await asyncio.sleep(15)
    at.kv.fails = lambda *_: False
    assert len(await at.requests()) == 1
    other = at.isolate(1)
    again = await listen(other, f"/api/stream?code={at.session.code}", token=at.session.host)
    await at.ask(id="next", producer="p", seq=2)
    await asyncio.sleep(10)
    assert [data["id"] for data in again.data("request")] == ["next"]
    assert len(await at.requests()) == 1
    await again.stop()


async def test_what_is_behind_a_request_comes_as_soon_as_its_response_is_written():
    at = Setting()
    at.store.seconds = 0
    first = await at.begin()
    await at.ask(id="one", producer="p", seq=1)
    guest = await listen(at.client, f"/api/stream?code={at.session.code}")
    await guest.until_event(1)
    at.store.seconds = WRITE_SECONDS
    began = now()
    answering = at.answer("one")
    await guest.until_event(2)
    # It knows no numbers, so "two" waits for "one".
    second = await host_stream(at, at.session)
    asking = at.ask(id="two", producer="p", seq=2)
    await second.until_event(2)
    assert second.data("request")[0]["id"] == "two"
    assert now() <= began + WRITE_SECONDS + 0.1
    assert [(await answering).status, (await asking).status] == [202, 202]
    for stream in (first, second, guest):
        await stream.stop()
