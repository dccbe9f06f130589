"""`waypost open` and `waypost serve`: commands behind a code."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from simulation.client import make_client
from tests.support.python_client import URL, python_client
from tests.support.python_command import Command, ended, serving
from waypost import AsyncWaypost, ToolError
from waypost.cli.home import home


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("WAYPOST_APP_KEY", "WAYPOST_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WAYPOST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WAYPOST_URL", URL)


def story(work: Callable[[Command, AsyncWaypost], Awaitable[None]]) -> None:
    async def whole() -> None:
        client, transport = python_client(make_client())
        await work(Command(transport), client)

    asyncio.run(asyncio.wait_for(whole(), 60))


def test_a_command_is_a_tool() -> None:
    async def work(command: Command, client: AsyncWaypost) -> None:
        upper = "upper=printf '::progress {\"progress\": 1}\\n'; cat | tr a-z A-Z"
        object_ = 'object=printf \'{"a": "%s"}\' "$WAYPOST_ARG_a"'
        bad = "bad=echo no milk >&2; exit 4"
        tools = [word for tool in (upper, object_, bad) for word in ("--tool", tool)]
        async with serving(command, client, "serve", "--new", *tools) as (
            code,
            end,
        ):
            guest, seen = await client.join(code), []
            assert await guest.call("upper", {"a": 1}, on_progress=seen.append) == {"A": 1}
            assert seen == [{"progress": 1}]
            # The shell does not read what callers write.
            assert await guest.call("object", {"a": "$(id)"}) == {"a": "$(id)"}
            with pytest.raises(ToolError, match="status 4. no milk") as caught:
                await guest.call("bad")
            assert (caught.value.code, caught.value.data) == ("command_failed", {"status": 4})
            # A command may have secrets in it, which its description must not show.
            assert [tool.description for tool in (await guest.info()).tools] == [None, None, None]
            done = await ended(client, end)
        assert done.code == 4
        assert "is over" in done.err
        assert not list((home() / "sessions").iterdir())

    story(work)


def test_a_command_does_not_get_the_app_key(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(command: Command, client: AsyncWaypost) -> None:
        monkeypatch.setenv("WAYPOST_APP_KEY", "secret")
        async with serving(command, client, "serve", "--new", "--tool", "env=env") as (code, end):
            assert "secret" not in await (await client.join(code)).call("env", {"x": "y"})

    story(work)


def test_a_call_that_is_taken_back_ends_its_command_and_what_that_started(tmp_path: Path) -> None:
    # What the shell starts has this open for as long as it lives.
    os.mkfifo(tmp_path / "alive")
    alive = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    slow = f"slow=sh -c 'exec 3>{tmp_path}/alive; echo \"::progress 1\"; sleep 600'; true"

    async def work(command: Command, client: AsyncWaypost) -> None:
        async with serving(command, client, "serve", "--new", "--tool", slow) as (code, _end):
            guest, begun = await client.join(code), asyncio.Event()
            call = asyncio.ensure_future(guest.call("slow", on_progress=lambda _report: begun.set()))
            await begun.wait()
            with pytest.raises(BlockingIOError):
                os.read(alive, 1)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            while True:
                try:
                    assert os.read(alive, 1) == b""
                    break
                except BlockingIOError:
                    await asyncio.sleep(0.01)

    try:
        story(work)
    finally:
        os.close(alive)


def test_a_session_that_was_opened_here_is_served_later() -> None:
    async def work(command: Command, client: AsyncWaypost) -> None:
        opened = json.loads((await command("open", "--label", "Shop", "--ttl", "1h", "--json")).out)
        assert opened["mcpUrl"] == f"{URL}/mcp/{opened['code']}"
        [path] = (home() / "sessions").glob("*.db")
        assert path.stat().st_mode & 0o077 == 0
        async with serving(command, client, "serve", opened["code"], "--tool", "one=echo 1") as (code, end):
            assert code == opened["code"]
            assert await (await client.join(code)).call("one") == "1"
        unknown = await command("serve", "ZZZZZZZZ", "--tool", "one=echo 1")
        assert (unknown.code, unknown.out) == (2, "")
        assert "was not opened" in unknown.err

    story(work)


def test_tools_of_a_file_have_descriptions_and_need_their_arguments(tmp_path: Path) -> None:
    tools = tmp_path / "tools.toml"
    tools.write_text(
        '[tools.greet]\ncommand = "echo Hello $WAYPOST_ARG_name"\ndescription = "Greets."\nread_only = true\n'
        'args = {name = "Whom to greet"}\n[tools.change]\ncommand = "echo changed"\n'
    )

    async def work(command: Command, client: AsyncWaypost) -> None:
        async with serving(command, client, "serve", "--new", "--tools", str(tools), "--approve", "read-only") as (
            code,
            end,
        ):
            guest = await client.join(code)
            greet, change = (await guest.info()).tools
            assert (greet.description, greet.annotations) == ("Greets.", {"readOnlyHint": True})
            assert greet.input_schema is not None
            assert greet.input_schema["required"] == ["name"]
            assert await guest.call("greet", {"name": "Ada"}) == "Hello Ada"
            with pytest.raises(ToolError, match="name is missing"):
                await guest.call("greet")
            with pytest.raises(ToolError) as caught:
                await guest.call(change.name)
            assert caught.value.code == "refused"

    story(work)
