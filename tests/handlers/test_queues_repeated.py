"""A request id that is sent again: the same call is one request, another call is refused, and what is stored stands."""

import asyncio
from typing import Any

import pytest

from simulation.client import KEY, Client, Opened, Reply, make_client
from simulation.virtual_time import VirtualClock
from tests.support.queues import LARGE
from waypost_worker.kv.keys import requests_scope
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.settings import Settings

SETTINGS = Settings(signing_keys=(KEY,))


class Setting:
    """Isolates on one namespace, two for guests and one for the host of a session."""

    def __init__(self, session: Opened, kv: MemoryKv, *isolates: Client) -> None:
        self.session, self.kv = session, kv
        self.here, self.elsewhere, self.hosts = isolates

    async def ask(self, at: Client, args: Any = None, tool: str = "pay", **fields: Any) -> Reply:
        return await at.ask(self.session.code, tool, args={"to": "ada"} if args is None else args, **fields)

    async def queued(self) -> list[Any]:
        """The arguments of the requests that a host is sent which reads the queue from its beginning."""
        polled = await self.hosts.poll(self.session.code, self.session.host)
        return [message["data"]["args"] for message in polled["messages"] if message["event"] == "request"]

    def client(self, is_here: bool) -> Client:
        return self.here if is_here else self.elsewhere


async def begin() -> Setting:
    kv = MemoryKv(VirtualClock())
    here, *others = (make_client(SETTINGS, kv, seed=seed) for seed in range(3))
    return Setting(await here.open_session(), kv, here, *others)


def is_refused(reply: Reply) -> bool:
    return (reply.status, reply.json().get("code")) == (409, "id_in_use")


@pytest.mark.parametrize("is_here", [True, False])
@pytest.mark.parametrize("text", ["mallory", LARGE])
async def test_an_issued_id_with_other_arguments_is_refused_and_the_stored_request_stands(is_here: bool, text: str):
    at = await begin()
    asked = (await at.ask(at.here, {"to": text, "amount": 1})).json()
    assert is_refused(await at.ask(at.client(is_here), {"to": text, "amount": 2}, id=asked["id"]))
    assert is_refused(await at.ask(at.client(is_here), {"to": text, "amount": 1}, tool="ask", id=asked["id"]))
    assert await at.queued() == [{"to": text, "amount": 1}]


@pytest.mark.parametrize("is_here", [True, False])
async def test_an_issued_id_with_the_same_call_is_the_same_request(is_here: bool):
    at = await begin()
    asked = (await at.ask(at.here, {"a": 1, "b": 2})).json()
    again = await at.ask(at.client(is_here), {"b": 2, "a": 1}, id=asked["id"])
    assert (again.status, again.json()) == (202, asked)
    assert await at.queued() == [{"a": 1, "b": 2}]


async def test_an_issued_id_whose_request_is_gone_is_queued_again_under_a_cursor_of_its_own():
    at = await begin()
    asked = (await at.ask(at.here)).json()
    body = {"code": at.session.code, "cursors": [asked["cursor"]]}
    assert (await at.here.call("POST", "/api/ack", body, token=at.session.host)).status == 200
    again = (await at.ask(at.here, id=asked["id"])).json()
    assert (again["id"], again["cursor"] > asked["cursor"]) == (asked["id"], True)
    assert await at.queued() == [{"to": "ada"}]


@pytest.mark.parametrize("id", ["step-1", None])
async def test_a_call_that_is_encrypted_again_is_the_same_call(id: str | None):
    at = await begin()
    sealed = [{"$waypost": "e2e1", "n": nonce, "c": nonce * 3} for nonce in ("AAAA", "BBBB")]
    asked = (await at.ask(at.here, sealed[0], id=id)).json()
    assert (await at.ask(at.here, sealed[1], id=asked["id"])).status == 202
    assert is_refused(await at.ask(at.here, sealed[1], tool="other", id=asked["id"]))
    assert is_refused(await at.ask(at.here, {"to": "ada"}, id=asked["id"]))
    assert await at.queued() == [sealed[0]]


async def queued_twice(at: Setting) -> str:
    """An issued id whose request stands under its own cursor, and under another one: where it was sent again, the first
    was not visible yet. Returns the id."""
    asked = (await at.ask(at.here)).json()
    body = {"code": at.session.code, "cursors": [asked["cursor"]]}
    assert (await at.here.call("POST", "/api/ack", body, token=at.session.host)).status == 200
    assert (await at.ask(at.elsewhere, id=asked["id"])).status == 202
    assert len(await at.queued()) == 1
    return str(asked["id"])


async def test_a_cancelled_request_is_removed_under_every_cursor_of_an_issued_id():
    at = await begin()
    id = await queued_twice(at)
    body = {"code": at.session.code}
    assert (await at.here.call("POST", f"/api/request/{id}/cancel", body)).status == 202
    assert await at.queued() == []


async def test_a_final_response_removes_a_repeated_request_that_was_queued_in_its_isolate():
    at = await begin()
    id = await queued_twice(at)
    body = {"code": at.session.code, "id": id, "result": 1}
    assert (await at.elsewhere.call("POST", "/api/response", body, token=at.session.host)).status == 202
    await asyncio.sleep(2)
    assert (await at.kv.list(requests_scope(at.session.code))).keys == ()


async def test_an_id_of_a_client_with_another_call_is_refused_in_the_isolate_that_queued_it():
    at = await begin()
    await at.ask(at.here, id="step-1")
    assert is_refused(await at.ask(at.here, {"to": "mallory"}, id="step-1"))
    assert (await at.ask(at.here, id="step-1")).status == 202
    assert await at.queued() == [{"to": "ada"}]


async def test_an_id_of_a_client_with_another_call_never_replaces_the_request_of_another_isolate():
    at = await begin()
    await at.ask(at.here, id="step-1")
    await asyncio.sleep(1)
    # Nothing that this isolate reads for a first request shows the other one.
    assert (await at.ask(at.elsewhere, {"to": "mallory"}, id="step-1")).status == 202
    assert await at.queued() == [{"to": "ada"}]


async def test_an_id_of_a_client_that_has_progress_is_compared_in_every_isolate():
    at = await begin()
    await at.ask(at.here, id="step-1")
    progress = {"code": at.session.code, "id": "step-1", "result": "Waiting for approval.", "final": False}
    assert (await at.here.call("POST", "/api/response", progress, token=at.session.host)).status == 202
    assert is_refused(await at.ask(at.elsewhere, {"to": "mallory"}, id="step-1"))
    assert (await at.ask(at.elsewhere, id="step-1")).status == 202


async def test_an_answer_is_given_to_the_same_call_only():
    at = await begin()
    await at.ask(at.here, id="step-1")
    await at.here.answer(at.session, "step-1", "paid")
    for client in (at.here, at.elsewhere):
        assert is_refused(await at.ask(client, {"to": "mallory"}, id="step-1"))
        assert (await at.ask(client, id="step-1")).json()["result"] == "paid"


async def test_an_answer_whose_call_is_not_known_is_the_answer_of_its_id():
    at = await begin()
    await at.ask(at.here, id="step-1")
    # The isolate that stores the answer has not queued the request.
    await at.elsewhere.answer(at.session, "step-1", "paid")
    assert (await at.ask(at.elsewhere, {"to": "mallory"}, id="step-1")).json()["result"] == "paid"


async def test_guests_are_one_each_may_cancel_the_requests_of_all():
    at = await begin()
    await at.ask(at.here, id="step-1")
    assert (await at.elsewhere.call("POST", "/api/request/step-1/cancel", {"code": at.session.code})).status == 202
    reply = await at.ask(at.here, id="step-1")
    assert (reply.status, reply.json()["error"]["code"]) == (200, "cancelled")
