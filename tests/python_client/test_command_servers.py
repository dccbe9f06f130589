"""`waypost serve --mcp-stdio` and `waypost listen`: servers behind a code."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from simulation.client import make_client
from tests.support.python_client import URL, python_client
from tests.support.python_command import Command, serving
from waypost import AsyncWaypost, ToolError
from waypost.cli.home import home

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
