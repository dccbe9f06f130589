"""What `/api/request` and `/api/response` say when the store fails half way."""

import asyncio

from tests.support.namespace import Isolates
from waypost_worker.kv.keys import requests_scope
from waypost_worker.polling.plans import FREE


async def test_an_answer_that_is_safe_is_not_reported_as_failed_when_the_tidying_is():
    at = Isolates()
    session = await at.client.open_session()
    asked = (await at.client.ask(session.code)).json()
    at.kv.fails = lambda operation, _: operation == "delete"
    assert (await at.client.answer(session, asked["id"], 1)).status == 202
    await asyncio.sleep(15)
    [line] = at.client.log
    assert line.endswith("an answered request was not removed: storage_unavailable")
    assert (await at.client.ask(session.code, id=asked["id"])).json()["result"] == 1


async def test_a_request_that_is_queued_is_not_reported_as_failed_when_the_wait_is():
    at = Isolates()
    session = await at.client.open_session()
    at.kv.fails = lambda operation, _: operation == "list"
    reply = await at.client.ask(session.code, wait=30)
    assert reply.status == 202
    assert at.client.log[0].endswith("stopped waiting for a response: storage_unavailable")
    at.kv.fails = lambda *_: False
    assert len((await at.client.poll(session.code, session.host))["messages"]) == 1


async def test_a_request_that_the_store_did_not_take_is_503_and_can_be_sent_again():
    at = Isolates()
    session = await at.client.open_session()
    at.kv.fails = lambda operation, _: operation == "put"
    reply = await at.client.ask(session.code, id="mine")
    assert (reply.status, reply.json()["code"]) == (503, "storage_unavailable")
    at.kv.fails = lambda *_: False
    assert (await at.client.ask(session.code, id="mine")).status == 202


async def test_writes_that_took_effect_but_were_answered_with_an_error_are_one_request():
    at = Isolates()
    session = await at.client.open_session()
    at.kv.takes_effect = True
    at.kv.fails = lambda operation, _: operation == "put" and len(at.kv.asked) % 3 != 0
    await at.client.ask(session.code)
    at.kv.fails = lambda *_: False
    assert len((await at.client.poll(session.code, session.host))["messages"]) == 1


async def test_on_the_free_plan_a_long_acknowledgement_says_what_is_left_of_it():
    at = Isolates(plan=FREE)
    session = await at.client.open_session()
    cursors = [(await at.client.ask(session.code)).json()["cursor"] for _ in range(100)]
    calls = 0
    while cursors:
        body = {"code": session.code, "cursors": cursors}
        reply = (await at.client.call("POST", "/api/ack", body, token=session.host)).json()
        assert reply["acknowledged"] + len(reply["remaining"]) == len(cursors)
        cursors, calls = reply["remaining"], calls + 1
    assert calls <= 5
    assert (await at.kv.list(requests_scope(session.code))).keys == ()
