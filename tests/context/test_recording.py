"""A record is passed on once, when the response, the stream and the work in the background have ended."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

import pytest

from simulation.client import KEY, Client, make_client
from tests.support.builders import SetClock
from tests.support.listener import listen
from tests.support.mcp_client import connected
from tests.support.sinks import ListSinks
from waypost_worker.context.recording import Recording
from waypost_worker.http.messages import Response
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.metered import MeteredKv
from waypost_worker.settings import Settings
from waypost_worker.telemetry.observer import Observer
from waypost_worker.telemetry.record import RequestRecord

APP_KEY = "3Jc-the-only-key-of-this-app"
Work = Coroutine[Any, Any, None]


class Recorded:
    """A recording, the work that it has started, and the lines that came of it."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.sinks = ListSinks()
        self.meter = MeteredKv(MemoryKv(self.clock), self.clock, 10)
        record = RequestRecord("GET", "id", self.clock.now_ms(), False)
        self.recording = Recording(record, Observer(self.sinks, "request", None), self.meter, self.clock)
        self.started: list[Work] = []
        self.background = self.recording.in_background(self.started.append)

    async def work(self) -> None:
        await asyncio.sleep(0)
        await self.meter.get("a")


async def test_a_response_without_more_is_recorded_immediately():
    recorded = Recorded()
    recorded.clock.ms += 12
    recorded.recording.answered(Response(404, code="not_found"))
    [line] = recorded.sinks.lines
    assert (line["status"], line["ms"], line["code"]) == (404, 12, "not_found")


async def test_what_the_background_does_is_in_the_record_and_its_time_is_not():
    recorded = Recorded()
    recorded.background(recorded.work())
    recorded.clock.ms += 12
    recorded.recording.answered(Response(200))
    assert recorded.sinks.lines == []
    recorded.clock.ms += 5000
    await recorded.started[0]
    [line] = recorded.sinks.lines
    assert (line["ms"], line["kv"]["reads"]) == (12, 1)


async def test_work_that_ends_before_the_response_does_not_end_the_record():
    recorded = Recorded()
    recorded.background(recorded.work())
    await asyncio.ensure_future(recorded.started[0])
    assert recorded.sinks.lines == []
    recorded.recording.answered(Response(200))
    assert len(recorded.sinks.lines) == 1


async def failing() -> None:
    raise ZeroDivisionError


async def test_work_that_fails_has_ended_and_still_fails():
    recorded = Recorded()
    recorded.background(failing())
    recorded.recording.answered(Response(200))
    with pytest.raises(ZeroDivisionError):
        await recorded.started[0]
    assert len(recorded.sinks.lines) == 1


async def test_work_that_is_cancelled_before_it_begins_has_ended_and_is_closed():
    recorded = Recorded()
    recorded.background(recorded.work())
    recorded.recording.answered(Response(200))
    task = asyncio.ensure_future(recorded.started[0])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (task.cancelled(), len(recorded.sinks.lines)) == (True, 1)


async def test_work_that_is_cancelled_in_between_may_go_on_to_its_end():
    recorded = Recorded()
    ended: list[bool] = []

    async def stubborn() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(1)
        ended.append(True)

    recorded.background(stubborn())
    recorded.recording.answered(Response(200))
    task = asyncio.ensure_future(recorded.started[0])
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.sleep(0.5)
    assert recorded.sinks.lines == []
    await asyncio.sleep(1)
    assert (ended, len(recorded.sinks.lines)) == ([True], 1)


async def test_work_that_is_closed_has_ended_once():
    recorded = Recorded()
    recorded.background(recorded.work())
    recorded.recording.answered(Response(200))
    recorded.started[0].close()
    recorded.started[0].close()
    assert len(recorded.sinks.lines) == 1


def observed(**settings: Any) -> tuple[Client, ListSinks]:
    sinks = ListSinks()
    return make_client(Settings(signing_keys=(KEY,), **settings), sinks=sinks), sinks


async def test_a_stream_is_recorded_at_its_end_with_what_it_delivered():
    client, sinks = observed()
    session = await client.open_session()
    await client.ask(session.code)
    await asyncio.sleep(4)
    listener = await listen(client, f"/api/stream?code={session.code}", token=session.host)
    await listener.until_event(2)
    await asyncio.sleep(60)
    assert [line["route"] for line in sinks.lines] == ["/api/sessions", "/api/request"]
    await listener.stop()
    line = sinks.lines[-1]
    assert (line["route"], line["ended"], line["caller"], line["delivered"]) == ("/api/stream", "left", "host", 1)
    assert 60_000 <= line["ms"] < 61_000
    assert 4_000 <= line["slowestMs"] < 5_000


async def test_a_replay_is_no_delivery():
    client, sinks = observed()
    session = await client.open_session()
    await client.ask(session.code)
    polled = await client.poll(session.code, session.host)
    await client.poll(session.code, session.host, after=polled["cursor"])
    assert [line.get("delivered", 0) for line in sinks.lines[-2:]] == [1, 0]


async def test_the_answer_that_a_guest_waited_for_is_a_delivery():
    client, sinks = observed()
    session = await client.open_session()
    asking = asyncio.ensure_future(client.ask(session.code, wait=60, id="r"))
    await asyncio.sleep(5)
    await client.answer(session, "r", 1)
    assert (await asking).status == 200
    line = sinks.lines[-1]
    assert (line["route"], line["caller"], line["delivered"]) == ("/api/request", "guest", 1)
    assert line["ms"] >= 5000


async def test_head_of_a_stream_has_no_stream_to_wait_for():
    client, sinks = observed()
    session = await client.open_session()
    response = await client.open("HEAD", f"/api/stream?code={session.code}", token=session.host)
    assert response.body is None
    assert sinks.lines[-1].keys() >= {"method", "route"}
    assert (sinks.lines[-1]["method"], sinks.lines[-1].get("ended")) == ("HEAD", None)


async def test_a_large_reply_is_recorded_with_its_response():
    client, sinks = observed()
    session = await client.open_session()
    response = await client.open(
        "POST",
        "/api/response",
        body=b'{"code":"%s","id":"r","result":"%s"}' % (session.code.encode(), b"x" * 300_000),
        headers={"Content-Type": "application/json"},
        token=session.host,
    )
    assert response.status == 202
    poll = await client.open("GET", f"/api/poll?code={session.code}")
    assert isinstance(poll.body, AsyncGenerator)
    assert sinks.lines[-1]["route"] == "/api/poll"
    await poll.body.aclose()


@pytest.mark.parametrize(
    ("method", "path", "headers", "route", "code"),
    [
        ("GET", "/nothing/is/here", {}, "unmatched", "not_found"),
        ("BREW", "/health", {}, "unmatched", "method_not_allowed"),
        ("OPTIONS", "/api/poll", {"Access-Control-Request-Method": "GET"}, "preflight", ""),
        ("GET", "/api/poll", {"Origin": "https://evil.example"}, "/api/poll", "origin_not_allowed"),
        ("POST", "/mcp/00000000", {}, "/mcp/{code}", "invalid_json"),
    ],
)
async def test_what_reaches_no_handler_is_recorded_too(
    method: str, path: str, headers: dict[str, str], route: str, code: str
):
    client, sinks = observed()
    await client.open(method, path, headers=headers)
    [line] = sinks.lines
    assert (line["route"], line.get("code", "")) == (route, code)
    assert line["method"] == ("OTHER" if method == "BREW" else method)


async def test_each_caller_is_recorded_by_its_kind():
    client, sinks = observed(app_keys=(APP_KEY,))
    session = await client.open_session()
    guest = await client.join(session.code)
    token = (await client.call("POST", "/api/tokens", {"resourceId": "ada"}, token=APP_KEY)).json()["token"]
    calls: list[tuple[str, str, str, str | None]] = [
        ("anonymous", "GET", "/health", None),
        ("anonymous", "GET", "/api/sessions/00000000", None),
        ("guest", "GET", f"/api/sessions/{session.code}", None),
        ("guest", "GET", f"/api/poll?code={session.code}", guest),
        ("host", "GET", f"/api/poll?code={session.code}", session.host),
        ("app", "GET", "/api/sessions?resourceId=ada", APP_KEY),
        ("app", "GET", "/metrics", APP_KEY),
        ("anonymous", "GET", "/metrics", "no key"),
        ("resource", "GET", "/api/sessions", token),
        ("owner", "GET", "/api/conversations/some-session-id", None),
    ]
    for caller, method, url, shown in calls:
        await client.call(method, url, token=shown)
        assert (sinks.lines[-1]["caller"], url) == (caller, url)
    strict, lines = observed(code_joins_once=True, require_token=True)
    session = await strict.open_session()
    guest = await strict.join(session.code)
    for caller, shown in (("host", session.host), ("guest", guest)):
        await strict.call("GET", f"/api/sessions/{session.code}", token=shown)
        assert lines.lines[-1]["caller"] == caller


async def test_an_mcp_client_is_recorded_as_one_with_the_code_of_its_error():
    client, sinks = observed()
    mcp = await connected(is_modern=True, client=client)
    await mcp.error("tools/none")
    assert (sinks.lines[-1]["caller"], sinks.lines[-1]["code"]) == ("mcp", "rpc-32601")
    mcp.path = "/mcp/00000000"
    await mcp.error("tools/list")
    assert (sinks.lines[-1]["caller"], sinks.lines[-1]["code"]) == ("anonymous", "session_not_found")


async def test_an_error_in_the_stream_of_an_mcp_call_is_recorded_too():
    client, sinks = observed()
    mcp = await connected(is_modern=True, client=client)
    stream = await mcp.stream("tools/call", {"name": "t", "_meta": {"progressToken": 1}})
    await stream.until_over()
    line = sinks.lines[-1]
    assert (line["status"], line["ended"], line["code"]) == (200, "ended", "tab_away")


async def test_a_failure_of_the_service_is_an_error_and_named_internal():
    class BrokenKv(MemoryKv):
        async def list(self, *_: Any, **__: Any) -> Any:
            raise ZeroDivisionError

    sinks = ListSinks()
    client = make_client(kv=BrokenKv(SetClock()), sinks=sinks)
    await client.call("GET", "/health")
    [line] = sinks.errors
    assert (line["status"], line["code"]) == (500, "internal")
