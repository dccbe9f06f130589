"""`/api/request`, `/api/response` and `/api/ack`: asked, answered, cancelled, acknowledged."""

import asyncio

import pytest

from simulation.client import Client, Opened, Reply, make_client
from simulation.counting_kv import CountingKv
from simulation.virtual_time import VirtualClock
from tests.support.builders import cursor_at
from tests.support.limiters import Budget
from waypost_worker.kv.keys import requests_scope, responses_scope
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.security.rate_limits import Limit


async def opened() -> tuple[Client, Opened]:
    client = make_client()
    return client, await client.open_session()


def names(polled: dict) -> list[tuple[str, str]]:
    return [(message["event"], message["data"]["id"]) for message in polled["messages"]]


async def test_a_request_is_queued_and_delivered_to_the_host_as_it_was_sent():
    client, session = await opened()
    reply = await client.ask(session.code, "a/tool", args={"n": 1.0, "big": 2**70}, producer="p", seq=1)
    queued = reply.json()
    assert (reply.status, set(queued)) == (202, {"id", "cursor"})
    [message] = (await client.poll(session.code, session.host))["messages"]
    assert message["data"] == {
        "id": queued["id"],
        "cursor": queued["cursor"],
        "tool": "a/tool",
        "args": {"n": 1.0, "big": 2**70},
        "timestamp": "2026-01-01T00:00:00.000Z",
        "producer": "p",
        "seq": 1,
    }


async def test_a_request_without_arguments_has_an_empty_object_of_them():
    client, session = await opened()
    await client.ask(session.code)
    [message] = (await client.poll(session.code, session.host))["messages"]
    assert message["data"]["args"] == {}


async def ask_with(client: Client, session: Opened, args: str) -> Reply:
    """Ask with `args` as they are written here."""
    text = f'{{"code":"{session.code}","tool":"echo","args":{args}}}'
    return await client.call("POST", "/api/request", body=text.encode())


@pytest.mark.parametrize(
    ("sent", "arrives"),
    [
        ('{ "b" : [ 1.50, 1E5 ],\n"a" : -0 }', '{"b":[1.50,1E5],"a":-0}'),
        (
            r'{"pair":"\ud83c\udf0d","half":"\ud83c.","nul":"\u0000"}',
            r'{"pair":"\ud83c\udf0d","half":"\ufffd.","nul":"\u0000"}',
        ),
        ('{"n":123456789012345678901234567890}', '{"n":123456789012345678901234567890}'),
        ('{"$waypost":1,"n":"bm9uY2U","c":"Y2lwaGVy"}', '{"$waypost":1,"n":"bm9uY2U","c":"Y2lwaGVy"}'),
    ],
)
async def test_arguments_arrive_as_they_were_written_but_for_white_space(sent: str, arrives: str):
    client, session = await opened()
    assert (await ask_with(client, session, sent)).status == 202
    reply = await client.call("GET", f"/api/poll?code={session.code}", token=session.host)
    assert f'"args":{arrives},'.encode() in reply.body


@pytest.mark.parametrize(
    ("sent", "code", "detail"),
    [
        ("[1]", "invalid_body", "Expected `object`, got `array` - at `$.args`."),
        ("null", "invalid_body", "Expected `object`, got `null` - at `$.args`."),
        ('{"n":1e999}', "invalid_body", "Number out of range"),
        ('{"a":1,"a":2}', "invalid_json", "the same name twice"),
        ('{"a":{"b":1,"\\u0062":2}}', "invalid_json", "the same name twice"),
        ('{"a":"\n"}', "invalid_json", "JSON is malformed"),
        ('{"a":01}', "invalid_json", "JSON is malformed"),
    ],
)
async def test_arguments_that_no_reader_could_take_are_refused(sent: str, code: str, detail: str):
    client, session = await opened()
    reply = await ask_with(client, session, sent)
    assert (reply.status, reply.json()["code"]) == (400, code)
    assert detail in reply.json()["detail"]
    assert (await client.poll(session.code, session.host))["messages"] == []


async def test_a_wait_returns_the_answer_as_soon_as_it_comes():
    client, session = await opened()
    asking = asyncio.ensure_future(client.ask(session.code, wait=60, id="mine"))
    await asyncio.sleep(30)
    stored = (await client.answer(session, "mine", {"n": 1.0})).json()
    reply = await asking
    assert reply.status == 200
    assert reply.json() == {
        "id": "mine",
        "cursor": stored["cursor"],
        "result": {"n": 1.0},
        "final": True,
        "timestamp": "2026-01-01T00:00:30.000Z",
    }
    assert asyncio.get_running_loop().time() < 30.1


async def test_a_wait_that_is_over_is_202():
    client, session = await opened()
    reply = await client.ask(session.code, wait=2.5)
    assert (reply.status, set(reply.json())) == (202, {"id", "cursor"})
    assert 2.49 <= asyncio.get_running_loop().time() <= 2.6


async def test_a_request_that_was_answered_returns_that_answer_again_without_waiting():
    client, session = await opened()
    await client.ask(session.code, id="mine")
    await client.answer(session, "mine", "first")
    reply = await client.ask(session.code, id="mine")
    assert (reply.status, reply.json()["result"]) == (200, "first")
    assert (await client.poll(session.code, session.host))["messages"] == []


async def test_a_request_that_is_still_open_joins_the_wait_and_is_delivered_once():
    client, session = await opened()
    await client.ask(session.code, id="mine")
    asking = asyncio.ensure_future(client.ask(session.code, wait=30, id="mine"))
    await asyncio.sleep(5)
    assert names(await client.poll(session.code, session.host)) == [("request", "mine")]
    await client.answer(session, "mine", 7)
    assert (await asking).json()["result"] == 7
    assert (await client.poll(session.code, session.host))["messages"] == []


async def test_an_id_of_ours_can_be_sent_again_too():
    client, session = await opened()
    first = (await client.ask(session.code)).json()
    again = (await client.ask(session.code, id=first["id"])).json()
    assert again == first


async def test_an_id_of_ours_from_the_future_is_refused():
    client, session = await opened()
    reply = await client.ask(session.code, id=cursor_at(10**9, requests_scope(session.code)))
    assert (reply.status, reply.json()["code"]) == (400, "invalid_id")


async def test_an_error_is_an_answer():
    client, session = await opened()
    await client.ask(session.code, id="mine")
    error = {"code": "boom", "message": "it broke", "data": {"at": [1]}}
    assert (await client.answer(session, "mine", error=error)).status == 202
    reply = (await client.ask(session.code, id="mine")).json()
    assert reply["error"] == error
    assert "result" not in reply


async def test_a_result_that_is_null_is_an_answer():
    client, session = await opened()
    await client.answer(session, "mine", None)
    assert (await client.ask(session.code, id="mine")).json()["result"] is None


async def test_progress_is_delivered_and_does_not_answer_or_remove_the_request():
    client, session = await opened()
    await client.ask(session.code, id="mine")
    await client.answer(session, "mine", 50, final=False)
    [progress] = (await client.poll(session.code))["messages"]
    assert (progress["data"]["result"], progress["data"]["final"]) == (50, False)
    assert names(await client.poll(session.code, session.host)) == [("request", "mine")]
    assert (await client.ask(session.code, id="mine")).status == 202


async def test_an_answer_removes_every_copy_of_its_request():
    client, session = await opened()
    for _ in range(3):
        await client.ask(session.code, id="mine")
    await client.answer(session, "mine")
    assert (await client.poll(session.code, session.host))["messages"] == []


async def test_cancelling_takes_the_request_back_tells_the_host_and_answers_it():
    client, session = await opened()
    await client.ask(session.code, id="mine")
    reply = await client.call("POST", "/api/request/mine/cancel", {"code": session.code})
    assert (reply.status, reply.json()["id"]) == (202, "mine")
    assert names(await client.poll(session.code, session.host)) == [("cancel", "mine")]
    answered = await client.ask(session.code, id="mine")
    assert answered.status == 200
    assert answered.json()["error"]["code"] == "cancelled"


async def test_cancelling_ends_the_wait_of_the_one_who_asked():
    client, session = await opened()
    asking = asyncio.ensure_future(client.ask(session.code, wait=60, id="mine"))
    await asyncio.sleep(1)
    await client.call("POST", "/api/request/mine/cancel", {"code": session.code})
    assert (await asking).json()["error"]["code"] == "cancelled"


async def test_what_was_answered_can_not_be_cancelled():
    client, session = await opened()
    await client.answer(session, "mine")
    reply = await client.call("POST", "/api/request/mine/cancel", {"code": session.code})
    assert (reply.status, reply.json()["code"]) == (409, "already_answered")


async def test_the_host_acknowledges_requests_and_cancels():
    client, session = await opened()
    await client.ask(session.code, id="kept")
    await client.ask(session.code, id="taken")
    await client.call("POST", "/api/request/gone/cancel", {"code": session.code})
    messages = (await client.poll(session.code, session.host))["messages"]
    cursors = [message["data"]["cursor"] for message in messages[1:]]
    body = {"code": session.code, "cursors": cursors + cursors}
    reply = await client.call("POST", "/api/ack", body, token=session.host)
    assert (reply.status, reply.json()["acknowledged"]) == (200, 2)
    assert names(await client.poll(session.code, session.host)) == [("request", "kept")]


@pytest.mark.parametrize("joins", [True, False])
async def test_a_guest_acknowledges_answers(joins: bool):
    client, session = await opened()
    token = await client.join(session.code) if joins else None
    await client.answer(session, "kept")
    taken = (await client.answer(session, "taken")).json()
    reply = await client.call("POST", "/api/ack", {"code": session.code, "cursors": [taken["cursor"]]}, token=token)
    assert reply.json()["acknowledged"] == 1
    assert names(await client.poll(session.code)) == [("response", "kept")]


@pytest.mark.parametrize("is_host", [True, False])
async def test_acknowledging_what_never_was_removes_nothing_says_so_and_spends_the_sessions_budget(is_host: bool):
    kv = CountingKv(MemoryKv(VirtualClock()))
    budget = Budget(100)
    client = make_client(kv=kv, limiters={Limit.REQUEST: budget})
    session = await client.open_session()
    kv.count.clear()
    scope = requests_scope(session.code) if is_host else responses_scope(session.code)
    key, token = ("host", session.host) if is_host else ("guest", None)
    for number, (cursors, uses) in enumerate([(1, 1), (10, 2), (11, 4), (100, 14)]):
        body = {"code": session.code, "cursors": [cursor_at(number, scope) for number in range(cursors)]}
        reply = await client.call("POST", "/api/ack", body, token=token)
        assert reply.json() == {"acknowledged": 0, "remaining": []}
        assert (budget.counts, kv.count) == ({f"{key}:{session.code}": uses}, {"list": number + 1})


async def test_an_events_id_acknowledges_the_message_it_names():
    client, session = await opened()
    await client.ask(session.code, id="a", producer="p", seq=1)
    [message] = (await client.poll(session.code, session.host))["messages"]
    assert message["id"] != message["data"]["cursor"]
    body = {"code": session.code, "cursors": [message["id"]]}
    assert (await client.call("POST", "/api/ack", body, token=session.host)).json()["acknowledged"] == 1
    assert (await client.poll(session.code, session.host))["messages"] == []


async def test_a_skipped_number_lets_the_next_one_through():
    client, session = await opened()
    await client.ask(session.code, id="two", producer="p", seq=2)
    assert (await client.poll(session.code, session.host))["messages"] == []
    await client.call("POST", "/api/request", {"code": session.code, "producer": "p", "seq": 1, "skip": True})
    assert names(await client.poll(session.code, session.host)) == [("request", "two")]


async def test_what_is_settled_is_not_waited_for():
    client, session = await opened()
    await client.ask(session.code, id="nine", producer="p", seq=9, settled=8)
    assert names(await client.poll(session.code, session.host)) == [("request", "nine")]
