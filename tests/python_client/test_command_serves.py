"""`waypost open`, `serve` and `listen`: programs behind a code."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from simulation.client import make_client
from tests.support.python_client import URL, python_client
from tests.support.python_command import Command, Done
from waypost import AsyncWaypost, ToolError
from waypost.cli.home import home
from waypost.types import SessionRecord

MCP_SERVER = Path(__file__).parents[1] / "support" / "mcp_stdio_server.py"


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


@asynccontextmanager
async def serving(
    command: Command, client: AsyncWaypost, *arguments: str
) -> AsyncIterator[tuple[str, asyncio.Task[Done]]]:
    """The code that a `serve` or `listen` prints, and the command, which ends here with its session."""
    task = asyncio.ensure_future(command(*arguments))
    while "Online" not in command.err.getvalue():
        assert not task.done(), task.result()
        await asyncio.sleep(0.01)
    try:
        yield command.out.getvalue().strip(), task
    finally:
        if not task.done():
            await ended(client, task)


async def ended(client: AsyncWaypost, task: asyncio.Task[Done]) -> Done:
    """Ends the session of the one file that the command keeps, and waits for the command."""
    [path] = (home() / "sessions").glob("*.db")
    with contextlib.closing(sqlite3.connect(path)) as database:
        [[kept]] = database.execute("SELECT record FROM session WHERE record IS NOT NULL").fetchall()
    await client.restore(msgspec.json.decode(kept, type=SessionRecord)).end()
    return await task


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


def test_a_stdio_mcp_server_is_behind_a_code() -> None:
    async def work(command: Command, client: AsyncWaypost) -> None:
        server = f"{sys.executable} {MCP_SERVER}"
        async with serving(command, client, "serve", "--new", "--mcp-stdio", server) as (code, end):
            guest, seen = await client.join(code), []
            assert [tool.name for tool in (await guest.info()).tools] == ["add", "repeat", "stop"]
            result = await guest.call("add", {"a": 1, "b": 2})
            assert result["content"] == [{"type": "text", "text": "3"}]
            # An argument may have the name that Python's function has for something else.
            said = await guest.call("repeat", {"call": "it"}, on_progress=seen.append)
            assert (said["content"][0]["text"], seen[-1]["total"]) == ("it", 2)
            with pytest.raises(ToolError, match="Error executing tool add"):
                await guest.call("add", {"a": 1.5, "b": 2})
            with pytest.raises(ToolError) as caught:
                await guest.call("stop")
            assert caught.value.code == "mcp_server_gone"
            done = await end
        assert (done.code, done.err.splitlines()[-1]) == (1, "The MCP server has ended. (mcp_server_gone)")

    story(work)


def test_an_mcp_server_that_can_not_be_started_says_so() -> None:
    async def work(command: Command, _client: AsyncWaypost) -> None:
        done = await command("serve", "--new", "--mcp-stdio", "exit 3")
        assert (done.code, done.out) == (2, "")
        assert "The MCP server 'exit 3' can't be used" in done.err
        assert not (home() / "sessions").exists()

    story(work)


def test_calls_are_forwarded_to_a_server() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].split()[0])
        body = await reader.readexactly(length)
        status = "200 OK" if b"good" in body else "500 Broken"
        reply = json.dumps({"body": body.decode(), "tool": head.partition("waypost-tool: ")[2].split()[0]}).encode()
        writer.write(b"HTTP/1.1 %b\r\ncontent-type: application/json\r\n" % status.encode())
        writer.write(b"connection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(reply), reply))
        await writer.drain()
        writer.close()

    async def work(command: Command, client: AsyncWaypost) -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        async with serving(command, client, "listen", "--new", "--forward", url, "--tool", "deploy") as (code, end):
            guest = await client.join(code)
            assert await guest.call("deploy", {"a": "good"}) == {"body": '{"a":"good"}', "tool": "deploy"}
            with pytest.raises(ToolError, match="answered with 500") as caught:
                await guest.call("deploy")
            assert caught.value.data == {"body": "{}", "tool": "deploy"}
            server.close()
            await server.wait_closed()
            with pytest.raises(ToolError, match="can't be reached"):
                await guest.call("deploy")

    story(work)
