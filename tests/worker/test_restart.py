"""`kill -9` in the middle: what was accepted is in KV, so the Worker that comes up again goes on where it was."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import httpx
import pytest

from tests.support.documents_api import place, put
from tests.support.http_api import Api
from tests.support.mcp_caller import McpCaller, waiting
from tests.support.steady_host import SteadyHost, ask_until_accepted
from tests.support.talk import Talk
from tests.support.waiting import eventually
from tools.local.harness.worker import LocalWorker
from tools.local.harness.worker_project import ProjectWorker, copy_project

ROUNDS, CALLS = (50, 400) if os.environ.get("WAYPOST_SOAK") else (3, 24)
"""Kills, and the calls among which they fall; the many with `make soak`."""

SEED = 20260101

WRITE_SECONDS = 0.3
"""How long a write takes while calls are killed: a message that is delivered ahead of it is lost then."""

NOTICED_SECONDS = 150
"""Twice the time after which a client gives up a connection on which nothing comes."""

Story = Iterator[None]

ENTRY = Path(__file__).parent / "faulty_project" / "entry.py"


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorker]:
    """A Worker that is killed. Its store is the real one, and slow on request."""
    project = copy_project(tmp_path_factory.mktemp("mortal") / "project")
    shutil.copy(ENTRY, project / "src" / "entry.py")
    with ProjectWorker(project) as worker:
        yield worker


def slow_writes(api: Api, seconds: float) -> None:
    """From now on, until the Worker is killed, a write takes so long."""
    assert api.call("PUT", "/faults", {"slow": {"put": seconds}}).status_code == 200


def interrupted_call(api: Api, threads: ThreadPoolExecutor) -> Story:
    session = api.open_session(label="before")
    session.put_tools({"name": "echo"})
    guest_token = session.join()
    host = session.host_stream()
    guest = session.guest_stream(guest_token)
    asking = threads.submit(session.ask, {"n": 1.0}, id="call", wait=60, token=guest_token)
    before = host.next("request")
    session.answer("call", "half-way", final=False)
    guest.next("response")

    yield

    # The streams break off without an `end`: come back. The guest's wait fails, so it is to ask again.
    for stream in (host, guest):
        stream.wait_over()
        assert "end" not in [event.name for event in stream.events]
    assert isinstance(asking.exception(timeout=NOTICED_SECONDS), httpx.TransportError)
    host, guest = host.reopened(), guest.reopened()
    again = host.next("request")
    assert again.data == before.data | {"replay": True}
    assert again.id == before.id
    asking = threads.submit(session.ask, {"n": 1.0}, id="call", wait=60, token=guest_token)
    assert session.answer("call", {"n": 2.0}).status_code == 202

    reply = asking.result()
    assert (reply.status_code, reply.json()["result"]) == (200, {"n": 2.0})
    half, whole = guest.take(2, "response")
    assert (half.data["result"], half.data.get("replay")) == ("half-way", True)
    assert (whole.data["result"], whole.data.get("replay")) == ({"n": 2.0}, None)
    # Nothing is left over, nothing came twice.
    assert session.poll(session.host_token)["messages"] == []
    read = session.read().json()
    assert (read["label"], read["tools"], read["active"]) == (
        "before",
        [{"name": "echo", "inputSchema": {"type": "object"}}],
        True,
    )
    assert len(host.events) == 2
    assert session.ask({"n": 1.0}, id="call").json() == whole.data


def answer_that_nobody_could_hear(api: Api, _threads: ThreadPoolExecutor) -> Story:
    session = api.open_session()
    guest = session.guest_stream()
    session.ask(id="call")
    session.answer("early", 0)
    guest.next("response")
    guest.close()
    session.answer("call", {"n": 1})

    yield

    assert session.ask(id="call").json()["result"] == {"n": 1}
    answers = guest.reopened().take(2, "response")
    assert {event.data["id"]: event.data.get("replay", False) for event in answers} == {
        "early": True,
        "call": False,
    }


def documents_and_conversations(api: Api, _threads: ThreadPoolExecutor) -> Story:
    path, kept, forgotten = place(), Talk(api), Talk(api)
    etag = put(api, path, b"[1.0]").headers["etag"]
    for number in range(30):
        kept.say(number, id=f"m-{number}")
    forgotten.say("hello")
    api.call("DELETE", forgotten.path)
    before = kept.export().content

    yield

    reply = api.http.get(path)
    assert (reply.content, reply.headers["etag"]) == (b"[1.0]", etag)
    assert kept.export().content == before
    assert forgotten.contents() == []
    kept.say("twice", id="m-29")
    kept.say(30)
    assert kept.contents() == list(range(21, 31))


def call_of_mcp(api: Api, _threads: ThreadPoolExecutor) -> Story:
    session = api.open_session()
    caller = McpCaller(api, session.code)
    event_id, _ = caller.call(7)
    id = waiting(session)
    session.answer(id, {"progress": 1}, final=False)

    yield

    stream = caller.resumed(event_id)
    assert stream.status == 200, stream.body
    session.answer(id, {"content": [{"type": "text", "text": "still here"}]})
    progress, reply = (event.data for event in stream.take(3, "message") if event.text)
    assert progress["params"] == {"progressToken": "p", "progress": 1}
    assert (reply["id"], reply["result"]["content"][0]["text"]) == (7, "still here")
    # What is known of the session stands in its id.
    assert caller.post("ping", {}).json()["result"] == {}


STORIES = (interrupted_call, answer_that_nobody_could_hear, documents_and_conversations, call_of_mcp)
"""What goes on over a kill, which all of them share: each is told up to it, and then to its end."""


@pytest.fixture(scope="module")
def killed(mortal: LocalWorker) -> Iterator[dict[str, Story]]:
    """The stories by their names, when the Worker was killed in their middle and is there again."""
    with Api(mortal.url) as api, ThreadPoolExecutor(1) as threads:
        stories = {story.__name__: story(api, threads) for story in STORIES}
        for story in stories.values():
            next(story)
        mortal.kill()
        mortal.restart()
        yield stories


@pytest.mark.parametrize("name", [story.__name__ for story in STORIES])
def test_what_a_kill_interrupts_goes_on_after_the_restart(killed: dict[str, Story], name: str) -> None:
    assert next(killed[name], "its end") == "its end"


def test_kills_between_delivery_and_write_lose_nothing_and_run_nothing_twice(mortal: LocalWorker) -> None:
    """A producer sends numbered calls, a host answers them, and the Worker is killed again and again: when the host has
    been sent a call whose write is not over, or while its response is written."""
    dice = random.Random(SEED)
    with Api(mortal.url) as api:
        slow_writes(api, WRITE_SECONDS)
        session = api.open_session()
        sent = [f"call-{number:03d}" for number in range(CALLS)]
        killed_at = sorted(dice.sample(range(2, CALLS - 2), ROUNDS))

        def produce() -> None:
            for number, request_id in enumerate(sent, 1):
                ask_until_accepted(session, {"n": number}, id=request_id, producer="p", seq=number)

        with SteadyHost(session, lambda request: request["args"]["n"] * 10) as host, ThreadPoolExecutor(1) as threads:
            producing = threads.submit(produce)
            for count in killed_at:
                eventually(lambda count=count: len(host.runs) >= count, NOTICED_SECONDS)
                sleep(dice.choice((0, 0.5, 1.5)) * WRITE_SECONDS)
                mortal.kill()
                mortal.restart()
                slow_writes(api, WRITE_SECONDS)
            slow_writes(api, 0)
            producing.result(NOTICED_SECONDS * ROUNDS)
            # What was accepted reaches the host and is answered, without being sent again.
            eventually(
                lambda: len(host.runs) == CALLS and not session.poll(session.host_token)["messages"], NOTICED_SECONDS
            )
            replies = [
                session.ask({"n": number}, id=request_id, producer="p", seq=number)
                for number, request_id in enumerate(sent, 1)
            ]
        assert [reply.json().get("result") for reply in replies] == [number * 10 for number in range(1, CALLS + 1)]
        assert host.runs == dict.fromkeys(sent, 1), "each call ran once"
        assert list(host.runs) == sent, "in the producer's order"
