"""The examples of docs/python.md and of the client's README, as they stand, on the application itself."""

from __future__ import annotations

import ast
import asyncio
import builtins
import re
import shlex
from typing import Any

import click
import httpx2
import pytest

import waypost
from simulation.client import make_client
from tests.support.docs import ROOT
from tests.support.python_client import URL, python_client
from waypost import Host, Waypost
from waypost.cli import exits
from waypost.cli.commands import cli

PAGE = (ROOT / "docs" / "python.md").read_text()
README = (ROOT / "clients" / "python" / "README.md").read_text()
EXAMPLES = dict(re.findall(r"<!-- python: (\w+) -->\n```python\n(.*?)```", PAGE, re.DOTALL))


def test_every_example_has_a_test_here() -> None:
    assert set(EXAMPLES) == {"offer", "run", "keep", "approve", "call", "chat", "documents"}
    assert PAGE.count("```python") == len(EXAMPLES)


def defined(*names: str) -> dict[str, Any]:
    """What is defined after these examples, whose last call runs for ever and is left out."""
    space: dict[str, Any] = {}
    for name in names:
        program = re.sub(r"(?m)^host\.run_forever\(.*\)$", "", EXAMPLES[name])
        exec(compile(program, f"docs/python.md: {name}", "exec"), space)  # noqa: S102 - our own page
    return space


def test_the_host_of_the_page_answers_its_guest() -> None:
    async def story() -> None:
        client, _ = python_client(make_client())
        session = await client.open_session()
        host: Host = defined("offer")["host"]
        async with host.running(session):
            guest = await client.join(session.code)
            assert await guest.call("add", {"a": 1, "b": 2}) == 3

    asyncio.run(story())


def test_the_host_in_asyncio_reports_its_progress(capsys: pytest.CaptureFixture[str]) -> None:
    async def story() -> None:
        app = make_client()
        client, _ = python_client(app)
        space = defined("run")
        space["AsyncWaypost"] = lambda: python_client(app)[0]
        run = asyncio.ensure_future(space["main"]())
        printed = ""
        for _ in range(1000):
            await asyncio.sleep(0.01)
            printed += capsys.readouterr().out
            if printed:
                break
        code, mcp_url = printed.split()
        assert mcp_url == f"{URL}/mcp/{code}"
        guest, seen = await client.join(code), []
        assert await guest.call("resize", {"width": 3}, on_progress=seen.append) == {"width": 3}
        assert seen[-1]["total"] == 3
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    asyncio.run(story())


def test_the_approver_of_the_page_asks_and_its_answer_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    space = defined("approve")
    question = waypost.Question("id", "pay", {"amount": 1}, "", restarted=False)
    for typed, decision in (("y", "once"), ("", "refuse")):
        monkeypatch.setattr(builtins, "input", lambda _prompt, typed=typed: typed)
        assert space["approve"](question) == decision


def test_the_file_of_the_page_is_what_run_forever_takes() -> None:
    [call] = [node for node in ast.walk(ast.parse(EXAMPLES["keep"])) if isinstance(node, ast.Call)]
    assert [keyword.arg for keyword in call.keywords] == ["keep"]


class Bridge(httpx2.BaseTransport):
    """Lets a client without asyncio call the application, which runs in an event loop of another thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, inner: httpx2.AsyncBaseTransport) -> None:
        self._loop = loop
        self._inner = inner

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        async def whole() -> httpx2.Response:
            sent = httpx2.Request(request.method, request.url, headers=request.headers, content=request.content)
            response = await self._inner.handle_async_request(sent)
            body = [chunk async for chunk in response.stream] if _ends(request) else await _begun(response)
            return httpx2.Response(response.status_code, headers=response.headers, content=b"".join(body))

        request.read()
        return asyncio.run_coroutine_threadsafe(whole(), self._loop).result(60)


def _ends(request: httpx2.Request) -> bool:
    return request.url.path != "/api/stream"


async def _begun(response: httpx2.Response) -> list[bytes]:
    """The first chunks of a stream that goes on: the client comes back for the rest."""
    chunks = []
    async for chunk in response.stream:  # type: ignore[union-attr]
        chunks.append(chunk)
        if len(chunks) == 2:
            break
    return chunks


@pytest.mark.parametrize("name", ["call", "chat", "documents"])
def test_an_example_without_asyncio_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def story() -> None:
        app = make_client()
        client, transport = python_client(app)
        session = await client.open_session()
        host: Host = defined("offer")["host"]
        bridge = Bridge(asyncio.get_running_loop(), transport)
        space = {"code": session.code}
        program = EXAMPLES[name].replace("Waypost()", "Client()")
        space |= {"Client": lambda: Waypost(URL, http_client=httpx2.Client(transport=bridge))}  # type: ignore[dict-item]
        async with host.running(session):
            await asyncio.to_thread(exec, compile(program, f"docs/python.md: {name}", "exec"), space)

    asyncio.run(story())
    printed = capsys.readouterr().out
    assert {"call": "['add']\n3\n", "chat": "Ada", "documents": f"{URL}/pages/"}[name] in printed


def test_each_command_line_of_the_pages_is_one_that_the_command_takes() -> None:
    lines = [
        line.partition("| waypost")[2] or line.partition("waypost ")[2]
        for block in re.findall(r"```sh\n(.*?)```", PAGE + README, re.DOTALL)
        for line in block.splitlines()
        if re.search(r"^waypost |\| waypost ", line)
    ]
    assert len(lines) > 20
    for line in lines:
        words = shlex.split(line.partition(" | jq")[0])
        with cli.make_context("waypost", list(words)) as root:
            name, command, rest = cli.resolve_command(root, words)
            while isinstance(command, click.Group):
                name, command, rest = command.resolve_command(root, rest)
            assert command is not None
            # Parsed, and not run: what can't be understood raises. A file of the page does not exist.
            command.make_context(name, [word.removeprefix("@") for word in rest], parent=root)


def test_the_exit_codes_of_the_page_are_those_of_the_command() -> None:
    table = PAGE.partition("| exit code | means |")[2].partition("\n\n")[0]
    first = [row.split("|")[1] for row in table.splitlines() if row]
    written = {int(code) for cell in first for code in re.findall(r"\d+", cell)}
    assert written == {0} | {value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}


def test_the_readme_calls_what_there_is() -> None:
    names = {"Host": Host, "Waypost": Waypost, "host": Host, "waypost": Waypost}
    for program in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        for node in ast.walk(ast.parse(program)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert hasattr(names[node.value.id], node.attr)
    assert "run_forever" in README
