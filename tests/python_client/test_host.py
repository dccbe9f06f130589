"""A host and its guests on the application itself, in virtual time: what is promised of a call holds on the way."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from simulation.client import make_client
from tests.support.python_client import AppTransport, python_client
from waypost import (
    AsyncGuest,
    AsyncSession,
    AsyncWaypost,
    Call,
    CallTimeout,
    ConfigError,
    DecryptionError,
    Host,
    HostState,
    MemoryLedger,
    Question,
    SessionOver,
    ToolError,
)
from waypost.host.results import result_answer
from waypost.host.runner import MAX_SEALED_CALLS
from waypost.types import SessionRecord

ENCRYPTED = pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])


class Tools:
    """A host with tools that count their runs."""

    def __init__(self, **options: Any) -> None:
        self.runs: list[str] = []
        self.states: list[HostState] = []
        self.begun, self.go = asyncio.Event(), asyncio.Event()
        self.host = Host(on_state=self.states.append, **options)
        self.host.tool(self.add)
        self.host.tool(self.steps)
        self.host.tool(self.fail)
        self.host.tool(self.wait)
        self.host.tool(read_only=True)(self.look)

    async def add(self, a: int, b: int, call: Call) -> int:
        self.runs.append(call.id)
        self.begun.set()
        return a + b

    async def steps(self, call: Call) -> str:
        for number in (1, 2, 3):
            call.progress({"progress": number})
            await asyncio.sleep(1)
        return "done"

    async def fail(self) -> None:
        raise KeyError("missing")

    async def wait(self, call: Call) -> str:
        self.runs.append(call.id)
        self.begun.set()
        await self.go.wait()
        return "waited"

    async def look(self) -> str:
        return "seen"


async def opened(**options: Any) -> tuple[AsyncWaypost, AppTransport, AsyncSession]:
    waypost, transport = python_client(make_client())
    return waypost, transport, await waypost.open_session(**options)


@ENCRYPTED
async def test_a_call_returns_what_the_function_returns(encrypted: bool) -> None:
    waypost, transport, session = await opened(encrypted=encrypted)
    tools = Tools()
    async with tools.host.running(session):
        guest = await waypost.join(session.link)
        assert await guest.call("add", {"a": 1, "b": 2}) == 3
        assert guest.encrypted is (await guest.info()).encrypted is encrypted
    sent = b"".join(request.content for request in transport.requests if "/api/re" in request.url.path)
    assert (b'"a":1' in sent) is not encrypted


@ENCRYPTED
async def test_progress_comes_in_order_and_before_the_result(encrypted: bool) -> None:
    waypost, _, session = await opened(encrypted=encrypted)
    async with Tools().host.running(session):
        guest = await waypost.join(session.link)
        seen: list[Any] = []
        assert await guest.call("steps", on_progress=seen.append) == "done"
        assert seen == [{"progress": 1}, {"progress": 2}, {"progress": 3}]


@ENCRYPTED
async def test_errors_of_tools_come_with_their_codes(encrypted: bool) -> None:
    waypost, _, session = await opened(encrypted=encrypted)
    async with Tools().host.running(session):
        guest = await waypost.join(session.link)
        for tool, args, code in (
            ("fail", {}, "tool_error"),
            ("nothing", {}, "unknown_tool"),
            ("add", {"a": 1}, "invalid_arguments"),
        ):
            with pytest.raises(ToolError) as caught:
                await guest.call(tool, args)
            assert (caught.value.code, caught.value.authenticated) == (code, encrypted)


async def test_a_call_that_is_not_answered_in_time_stays_open_for_the_same_id() -> None:
    waypost, _, session = await opened()
    tools = Tools()
    async with tools.host.running(session):
        guest = await waypost.join(session.code)
        for on_progress in (None, lambda _value: None):
            tools.go.clear()
            with pytest.raises(CallTimeout) as caught:
                await guest.call("wait", timeout=60, on_progress=on_progress)
            tools.go.set()
            assert await guest.call("wait", id=caught.value.id, on_progress=on_progress) == "waited"
    assert len(tools.runs) == len(set(tools.runs)) == 2


async def test_a_caller_that_is_cancelled_takes_its_call_back() -> None:
    waypost, _, session = await opened()
    tools = Tools()
    async with tools.host.running(session):
        guest = await waypost.join(session.code)
        caller = asyncio.ensure_future(guest.call("wait", id="taken-back"))
        await tools.begun.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        await asyncio.sleep(1)
        with pytest.raises(ToolError) as caught:
            await guest.call("wait", id="taken-back")
        assert caught.value.code == "cancelled"
    assert tools.runs == ["taken-back"]


async def test_a_call_that_was_submitted_is_waited_for_later() -> None:
    waypost, _, session = await opened()
    async with Tools().host.running(session):
        guest = await waypost.join(session.code)
        pending = await guest.submit("add", {"a": 1, "b": 1}, id="call-1")
        assert (pending.id, await pending.result()) == ("call-1", 2)
        other = await guest.submit("wait")
        await other.cancel()
        with pytest.raises(ToolError):
            await other.result()


@ENCRYPTED
async def test_lost_replies_and_cut_streams_run_nothing_twice(encrypted: bool) -> None:
    waypost, transport, session = await opened(encrypted=encrypted)
    tools = Tools()
    number = 0

    def every_third(request: httpx2.Request) -> bool:
        nonlocal number
        number += request.method == "POST"
        return request.method == "POST" and number % 3 == 0

    async with tools.host.running(session):
        guest = await waypost.join(session.link)
        transport.lose = every_third
        transport.cuts = [3, 2, 4, 2, 3, 2] * 5
        calls = [guest.call("add", {"a": n, "b": n}, id=f"call-{n}") for n in range(20)]
        assert await asyncio.gather(*calls) == [2 * n for n in range(20)]
        transport.lose = lambda _request: False
    assert sorted(tools.runs) == sorted(f"call-{n}" for n in range(20))


async def test_silence_of_a_minute_is_no_failure() -> None:
    waypost, transport, session = await opened()
    tools = Tools()
    async with tools.host.running(session):
        guest = await waypost.join(session.code)
        await asyncio.sleep(120)
        assert await guest.call("add", {"a": 1, "b": 1}) == 2
    assert [state.state for state in tools.states] == ["online"]
    assert transport.seen.count(("GET", "/api/stream")) == 1


async def test_a_host_goes_on_for_hours_over_the_streams_that_the_server_ends() -> None:
    waypost, transport, session = await opened()
    tools = Tools()
    async with tools.host.running(session):
        guest = await waypost.join(session.code)
        for hour in range(3):
            await asyncio.sleep(3600)
            assert await guest.call("add", {"a": hour, "b": 0}) == hour
    assert transport.seen.count(("GET", "/api/stream")) > 30
    assert not [state for state in tools.states if state.state == "waiting"]


async def test_a_host_that_leaves_says_goodbye() -> None:
    waypost, _, session = await opened()
    guest = await waypost.join(session.code)
    async with Tools().host.running(session):
        assert (await guest.info()).host_online
    assert not (await guest.info()).host_online


async def test_a_host_returns_when_its_session_ends_and_guests_are_told() -> None:
    waypost, _, session = await opened()
    tools = Tools()
    run = asyncio.ensure_future(tools.host.run(session))
    guest = await waypost.join(session.code)
    await asyncio.sleep(5)
    caller = asyncio.ensure_future(guest.call("wait", on_progress=lambda _value: None))
    await asyncio.sleep(5)
    await session.end()
    assert (await run).reason == "ended"
    with pytest.raises(SessionOver):
        await caller
    assert tools.states[-1] == HostState("ended", reason="ended")


async def test_a_newer_host_takes_over_and_the_older_one_does_not_come_back() -> None:
    waypost, _, session = await opened()
    older, newer = Tools(), Tools()
    run = asyncio.ensure_future(older.host.run(session))
    await asyncio.sleep(5)
    async with newer.host.running(session):
        assert (await run).reason == "superseded"
        guest = await waypost.join(session.code)
        assert await guest.call("add", {"a": 1, "b": 1}) == 2
    assert (len(older.runs), len(newer.runs)) == (0, 1)


async def test_what_runs_when_a_host_is_cancelled_has_time_to_be_answered() -> None:
    waypost, _, session = await opened()
    tools = Tools(grace=30)
    guest = await waypost.join(session.code)
    async with tools.host.running(session):
        caller = asyncio.ensure_future(guest.call("wait"))
        await tools.begun.wait()
        asyncio.get_running_loop().call_later(10, tools.go.set)
    assert await caller == "waited"


async def test_the_next_host_answers_what_the_last_one_could_not() -> None:
    waypost, transport, session = await opened()
    ledger = MemoryLedger()
    tools = Tools(ledger=ledger, grace=1)
    guest = await waypost.join(session.code)
    async with tools.host.running(session):
        transport.fail = lambda request: _broken() if request.url.path == "/api/response" else None
        caller = asyncio.ensure_future(guest.call("add", {"a": 1, "b": 1}, id="once"))
        await tools.begun.wait()
    transport.fail = lambda _request: None
    again = Tools(ledger=ledger)
    async with again.host.running(session):
        assert await caller == 2
    assert (tools.runs, again.runs) == (["once"], [])


def _broken() -> None:
    raise httpx2.ConnectError("no network")


async def test_a_call_that_a_crash_interrupted_is_run_again_only_if_its_tool_allows_it() -> None:
    waypost, _, session = await opened()
    ledger = MemoryLedger()
    ledger.open(session.record.memory)
    ledger.begin(session.record.memory, "writes", "wait")
    ledger.begin(session.record.memory, "reads", "look")
    tools = Tools(ledger=ledger)
    async with tools.host.running(session):
        guest = await waypost.join(session.code)
        assert await guest.call("look", id="reads") == "seen"
        with pytest.raises(ToolError) as caught:
            await guest.call("wait", id="writes")
    assert (caught.value.code, tools.runs) == ("interrupted", [])


class Kept(MemoryLedger):
    """A ledger that keeps sessions, as the one in a file does."""

    def __init__(self) -> None:
        super().__init__()
        self.record: SessionRecord | None = None

    def save_session(self, record: SessionRecord) -> None:
        self.record = record

    def saved_session(self, base_url: str) -> SessionRecord | None:
        return self.record


@pytest.mark.parametrize(("kind", "seconds"), [(Kept, (0, 5)), (MemoryLedger, (10, 60))])
async def test_only_a_host_that_knows_its_last_run_gets_what_waits_without_delay(
    kind: type[MemoryLedger], seconds: tuple[float, float]
) -> None:
    app = make_client()
    before, broken = python_client(app)
    after, _ = python_client(app)
    session = await before.open_session()
    ledger = kind()
    crashed, next_one = Tools(ledger=ledger, grace=0), Tools(ledger=ledger)
    run = asyncio.ensure_future(crashed.host.run(session))
    guest = await after.join(session.code)
    interrupted = asyncio.ensure_future(guest.call("wait", id="interrupted"))
    await crashed.begun.wait()
    # From here on nothing is heard of it, and the server has not noticed.
    broken.fail = lambda _request: _broken()
    waits = asyncio.ensure_future(guest.call("add", {"a": 1, "b": 1}))
    await asyncio.sleep(1)
    restarted_at = asyncio.get_running_loop().time()
    async with next_one.host.running(after.restore(getattr(ledger, "record", None) or session.record)):
        with pytest.raises(ToolError) as caught:
            await interrupted
        assert await waits == 2
    took = asyncio.get_running_loop().time() - restarted_at
    assert caught.value.code == "interrupted"
    assert seconds[0] <= took <= seconds[1]
    assert (await run).reason == "superseded"


class Deaf(MemoryLedger):
    """A ledger on a full disk."""

    def begin(self, memory: str, id: str, tool: str) -> Any:
        raise OSError("No space left on device")


async def test_a_call_that_cannot_be_written_down_is_not_run() -> None:
    waypost, _, session = await opened()
    tools = Tools(ledger=Deaf())
    async with tools.host.running(session):
        guest = await waypost.join(session.code)
        with pytest.raises(ToolError) as caught:
            await guest.call("add", {"a": 1, "b": 1})
    assert (caught.value.code, tools.runs) == ("not_remembered", [])


@pytest.mark.parametrize(
    ("decision", "code"),
    [("once", None), (True, None), ("refuse", "refused"), (False, "refused"), ("perhaps", "refused")],
)
async def test_an_approver_decides_on_what_changes_something(decision: Any, code: str | None) -> None:
    waypost, _, session = await opened()
    asked: list[Question] = []

    async def approve(question: Question) -> Any:
        asked.append(question)
        await asyncio.sleep(60)
        return decision

    tools = Tools(approve=approve)
    async with tools.host.running(session):
        guest = await waypost.join(session.code)
        assert await guest.call("look") == "seen"
        seen: list[Any] = []
        if code is None:
            assert await guest.call("add", {"a": 1, "b": 1}, on_progress=seen.append) == 2
        else:
            with pytest.raises(ToolError) as caught:
                await guest.call("add", {"a": 1, "b": 1}, on_progress=seen.append)
            assert caught.value.code == code
    assert seen == [{"progress": 0, "message": "Waiting for approval."}]
    assert [(question.tool, question.args) for question in asked] == [("add", {"a": 1, "b": 1})]


async def test_always_is_for_all_further_calls_of_a_tool_and_a_failure_is_a_refusal() -> None:
    waypost, _, session = await opened()
    answers: list[Any] = ["always", RuntimeError("closed")]

    async def approve(_question: Question) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    tools = Tools(approve=approve)
    async with tools.host.running(session):
        guest = await waypost.join(session.code)
        for _ in range(3):
            assert await guest.call("add", {"a": 1, "b": 1}) == 2
        with pytest.raises(ToolError, match="refused"):
            await guest.call("steps")


async def test_at_most_so_many_calls_run_at_the_same_time() -> None:
    waypost, _, session = await opened()
    tools = Tools(max_running=2)
    async with tools.host.running(session):
        guest = await waypost.join(session.code)
        calls = [asyncio.ensure_future(guest.call("wait")) for _ in range(4)]
        await asyncio.sleep(10)
        assert len(tools.runs) == 2
        tools.go.set()
        assert await asyncio.gather(*calls) == ["waited"] * 4


async def test_tools_that_change_are_published_and_one_that_the_server_refuses_is_left_out() -> None:
    waypost, _, session = await opened()
    tools = Tools()
    async with tools.host.running(session):
        guest = await waypost.join(session.code)
        tools.host.remove_tool("wait")
        tools.host.tool(name="bad", output_schema={"type": "no type"})(tools.look)
        tools.host.tool(name="good")(tools.look)
        await asyncio.sleep(1)
        assert {tool.name for tool in (await guest.info()).tools} == {"add", "steps", "fail", "look", "good"}
        assert await guest.call("good") == "seen"


async def test_the_largest_result_arrives_and_a_larger_one_is_an_error() -> None:
    waypost, _, session = await opened()
    host = Host()

    @host.tool
    async def text(length: int) -> str:
        return "x" * length

    async with host.running(session):
        guest = await waypost.join(session.code)
        assert len(await guest.call("text", {"length": 8 * 1024 * 1024 - 2})) == 8 * 1024 * 1024 - 2
        with pytest.raises(ToolError) as caught:
            await guest.call("text", {"length": 8 * 1024 * 1024 - 1})
        assert caught.value.code == "answer_too_large"


async def test_a_guest_without_the_key_and_one_with_another_are_refused() -> None:
    waypost, _, session = await opened(encrypted=True)
    _, _, other = await opened(encrypted=True)
    tools = Tools()
    async with tools.host.running(session):
        with pytest.raises(ToolError) as plain:
            await waypost.guest(session.code).call("add", {"a": 1, "b": 1})
        assert plain.value.code == "encryption_required"
        with pytest.raises(DecryptionError) as wrong:
            await waypost.guest(session.code, key=other.key).call("add", {"a": 1, "b": 1})
        assert wrong.value.code == "decryption_failed"
    assert tools.runs == []


async def test_a_guest_with_a_key_takes_nothing_in_the_clear() -> None:
    waypost, _, session = await opened()
    _, _, other = await opened(encrypted=True)
    async with Tools().host.running(session):
        with pytest.raises(DecryptionError) as caught:
            await waypost.guest(session.code, key=other.key).call("add", {"a": 1, "b": 1})
    assert caught.value.code == "not_encrypted"


async def test_an_answer_that_the_server_made_up_is_dropped() -> None:
    waypost, _, session = await opened(encrypted=True)
    guest = await waypost.join(session.link)
    call = asyncio.ensure_future(guest.call("add", {"a": 1, "b": 1}, id="forged"))
    await asyncio.sleep(1)
    body = f'{{"code":"{session.code}","id":"forged",'.encode() + result_answer(3)[1:]
    headers = {"authorization": f"Bearer {session.record.host_token}", "content-type": "application/json"}
    http = session.driver._client
    assert http is not None
    assert (await http.post("https://waypost.test/api/response", content=body, headers=headers)).status_code == 202
    with pytest.raises(DecryptionError) as caught:
        await call
    assert caught.value.code == "answer_in_clear"


async def test_an_encrypted_session_that_was_kept_needs_the_ledger_that_knows_its_calls() -> None:
    waypost, _, session = await opened(encrypted=True)
    ledger = MemoryLedger()
    async with Tools(ledger=ledger).host.running(session):
        pass
    restored = waypost.restore(session.record)
    async with Tools(ledger=ledger).host.running(restored):
        pass
    with pytest.raises(ConfigError, match="SqliteLedger"):
        await Tools().host.run(restored)


class Full(MemoryLedger):
    """A ledger that knows as many calls as it may."""

    def count(self, memory: str) -> int:
        return MAX_SEALED_CALLS


async def test_an_encrypted_session_runs_no_more_calls_than_are_remembered() -> None:
    waypost, _, session = await opened(encrypted=True)
    tools = Tools(ledger=Full())
    async with tools.host.running(session):
        guest = await waypost.join(session.link)
        with pytest.raises(ToolError) as caught:
            await guest.call("add", {"a": 1, "b": 1})
    assert (caught.value.code, tools.runs) == ("session_full", [])


async def test_a_client_is_for_one_server() -> None:
    waypost, _, session = await opened()
    with pytest.raises(ConfigError, match="other.example"):
        await waypost.join("https://other.example/#join=K7Q2M9XA")
    assert isinstance(waypost.guest(session.link), AsyncGuest)


async def test_an_encrypted_session_has_no_mcp_address() -> None:
    waypost, _ = python_client(make_client())
    with pytest.raises(ConfigError, match="MCP"):
        await waypost.open_session(encrypted=True, address_secret="A" * 43)


async def test_an_mcp_address_stays_while_sessions_change() -> None:
    waypost, _, first = await opened(address_secret="A" * 43)
    second = await waypost.open_session()
    assert second.mcp_url.endswith(second.code)
    assert await second.claim_address("A" * 43) == first.mcp_url == second.mcp_url


async def test_a_session_is_extended_and_restored_from_its_record() -> None:
    waypost, _, session = await opened(label="Mine", ttl=600)
    before = session.record.expires_at
    await asyncio.sleep(300)
    await waypost.restore(session.record).extend()
    await session.extend()
    assert session.record.expires_at > before


async def test_after_an_approval_a_guest_hears_that_its_call_runs() -> None:
    waypost, _, session = await opened()

    async def approve(_question: Question) -> str:
        await asyncio.sleep(10)
        return "once"

    tools = Tools(approve=approve)
    async with tools.host.running(session):
        guest = await waypost.join(session.code)
        seen: list[Any] = []
        call = asyncio.ensure_future(guest.call("wait", on_progress=seen.append))
        await asyncio.sleep(60)
        tools.go.set()
        await call
    assert [report["message"] for report in seen] == ["Waiting for approval.", "Running."]
