"""`waypost call` and `waypost tools`: what they print, and how they end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from simulation.client import KEY, make_client
from tests.support.python_client import URL, python_client
from tests.support.python_command import Command
from waypost import AsyncWaypost, Call, Host, ToolError
from waypost.cli.exits import as_json, exit_code
from waypost.errors import (
    ApiError,
    BadRequest,
    CallTimeout,
    ConfigError,
    Forbidden,
    Gone,
    NotFound,
    RateLimited,
    SessionOver,
    TransportError,
    Unauthorized,
    Unavailable,
    WaypostError,
)
from waypost_worker.settings import Settings


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("WAYPOST_APP_KEY", "WAYPOST_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WAYPOST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WAYPOST_URL", URL)


def with_host(story: Callable[[Command, str, AsyncWaypost], Awaitable[None]], *, encrypted: bool = False) -> None:
    """Runs a story with the command and the invitation to a host that has some tools."""

    async def whole() -> None:
        client, transport = python_client(make_client())
        session = await client.open_session(encrypted=encrypted)
        host = Host()

        @host.tool(read_only=True)
        async def add(a: int, b: int = 0) -> int:
            """Adds two numbers."""
            return a + b

        @host.tool
        async def say(text: str, call: Call) -> str:
            call.progress({"progress": 1, "total": 2, "message": "half"})
            await asyncio.sleep(0.05)
            return text

        @host.tool
        async def fail() -> None:
            raise ToolError("out_of_milk", "There is none.", {"left": 0})

        @host.tool
        async def wait() -> str:
            await asyncio.sleep(0.6)
            return "late"

        async with host.running(session):
            await story(Command(transport), session.link if encrypted else session.code, client)

    asyncio.run(asyncio.wait_for(whole(), 60))


def test_a_result_is_on_stdout_and_progress_on_stderr() -> None:
    async def story(command: Command, code: str, _client: AsyncWaypost) -> None:
        assert await command("call", code, "add", "a:=1", "b:=2") == (0, "3\n", "")
        said = await command("call", code, "say", "text=Grüße")
        assert said == (0, "Grüße\n", "… 1/2 half\n")
        assert await command("call", code, "say", "text=x", "--json", "-q") == (0, '"x"\n', "")
        assert await command("call", code, "add", "--args", "-", stdin='\ufeff{"a": 1,\r\n "b": 1}\r\n') == (
            0,
            "2\n",
            "",
        )

    with_host(story)


def test_a_code_and_an_argument_may_be_in_files(tmp_path: Path) -> None:
    async def story(command: Command, code: str, _client: AsyncWaypost) -> None:
        (tmp_path / "code").write_text(f"{code}\n")
        (tmp_path / "text").write_text("from a file")
        assert (await command("call", f"@{tmp_path}/code", "say", f"text=@{tmp_path}/text")).out == "from a file\n"
        assert (await command("call", "@-", "add", "a:=5", stdin=f"{code}\r\n")).out == "5\n"

    with_host(story)


def test_a_link_with_its_key_is_enough_for_an_encrypted_session(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(command: Command, link: str, _client: AsyncWaypost) -> None:
        monkeypatch.delenv("WAYPOST_URL")
        monkeypatch.setenv("WAYPOST_APP_KEY", "of another server")
        assert (await command("call", link, "add", "a:=1")).out == "1\n"

    with_host(story, encrypted=True)


def test_errors_are_sentences_and_have_their_exit_codes() -> None:
    async def story(command: Command, code: str, _client: AsyncWaypost) -> None:
        assert await command("call", code, "fail") == (3, "", "There is none. (out_of_milk)\n")
        failed = await command("call", code, "fail", "--json")
        error = {"code": "out_of_milk", "message": "There is none.", "data": {"left": 0}}
        assert (failed.code, failed.out, json.loads(failed.err)) == (3, "", {"error": error})
        assert (await command("call", code, "add", "a=1")).code == 3
        missing = await command("call", "ZZZZZZZZ", "add")
        assert (missing.code, missing.out) == (4, "")
        assert "404 session_not_found" in missing.err

    with_host(story)


def test_after_a_timeout_the_same_id_goes_on_waiting() -> None:
    async def story(command: Command, code: str, _client: AsyncWaypost) -> None:
        late = await command("call", code, "wait", "--timeout", "0.1s", "--id", "call-1")
        assert (late.code, late.out) == (124, "")
        assert "--id call-1" in late.err
        assert (await command("call", code, "wait", "--id", "call-1")).out == "late\n"

    with_host(story)


def test_one_machine_is_one_guest_of_a_code_that_lets_in_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def whole() -> None:
        settings = Settings(signing_keys=(KEY,), require_token=True, code_joins_once=True)
        client, transport = python_client(make_client(settings))
        session, host = await client.open_session(), Host()

        @host.tool
        async def one() -> int:
            return 1

        async with host.running(session):
            command = Command(transport)
            assert (await command("tools", session.code)).out == "one\n"
            assert (await command("call", session.code, "one")).out == "1\n"
            assert (await command("call", session.code.lower(), "one")).out == "1\n"
            monkeypatch.setenv("WAYPOST_HOME", str(tmp_path / "another-machine"))
            assert (await command("call", session.code, "one")).code == 5

    asyncio.run(whole())


def test_tools_are_listed_as_they_are_called() -> None:
    async def story(command: Command, code: str, _client: AsyncWaypost) -> None:
        listed = await command("tools", code)
        assert "add a:=integer [b:=integer]\n    Adds two numbers.\n" in listed.out
        assert "say text=string\n" in listed.out
        tools = json.loads((await command("tools", code, "--json")).out)
        assert [tool["name"] for tool in tools] == ["add", "say", "fail", "wait"]

    with_host(story)


def test_each_kind_of_error_has_its_exit_code() -> None:
    def api(kind: type[ApiError], status: int) -> ApiError:
        return kind(status, "word", "Sentence.")

    codes: list[tuple[WaypostError, int]] = [
        (ConfigError("a", "b"), 2),
        (ToolError("a", "b"), 3),
        (api(NotFound, 404), 4),
        (api(Gone, 410), 4),
        (SessionOver("ended", "b"), 4),
        (api(Unauthorized, 401), 5),
        (api(Forbidden, 403), 5),
        (api(RateLimited, 429), 6),
        (api(Unavailable, 503), 7),
        (TransportError("b"), 7),
        (CallTimeout("id", 1), 124),
        (api(BadRequest, 400), 1),
    ]
    assert [exit_code(error) for error, _ in codes] == [code for _, code in codes]
    assert as_json(CallTimeout("id", 1))["error"]["id"] == "id"
    assert as_json(api(NotFound, 404)) == {"error": {"code": "word", "message": "Sentence.", "status": 404}}
