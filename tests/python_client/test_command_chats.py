"""Chats, threads, documents and pages from a terminal, and what `doctor` says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import pytest

from simulation.client import make_client
from tests.support.python_client import URL, python_client
from tests.support.python_command import Command
from waypost.cli import checks

ID = "an-unguessable-id"


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("WAYPOST_APP_KEY", "WAYPOST_PROFILE", "VISUAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WAYPOST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WAYPOST_URL", URL)


def story(work: Callable[[Command], Awaitable[None]]) -> None:
    async def whole() -> None:
        _client, transport = python_client(make_client())
        await work(Command(transport))

    asyncio.run(asyncio.wait_for(whole(), 60))


async def said(done: Callable[[], bool]) -> None:
    while not done():  # noqa: ASYNC110 - the command is in another thread
        await asyncio.sleep(0.01)


def test_an_answer_is_printed_and_the_thread_is_listed_and_forked() -> None:
    async def work(command: Command) -> None:
        asked = await command("chat", "t1", "Hello", "--resource", "ada")
        assert (asked.code, asked.err) == (0, "")
        assert '"Hello"' in asked.out
        assert asked.out.endswith(".\n")
        piped = await command("chat", "t1", "-", "--resource", "ada", "--json", stdin="Again\r\n")
        events = [json.loads(line) for line in piped.out.splitlines()]
        assert [events[0]["event"], events[-1]["event"]] == ["start", "done"]
        assert "".join(event["text"] for event in events if event["event"] == "delta").count("Again") == 1
        assert (await command("chat", "t1", "--resource", "ada", "--resume")).err == "No answer is running.\n"
        assert (await command("chat", "t1", "--resource", "ada", "--stop")).out == "No answer was running.\n"
        assert (await command("fork", "t1", "t2", "--resource", "ada")).out == "t2\n"
        assert {line.split()[2] for line in (await command("threads", "ada")).out.splitlines()} == {"t1", "t2"}
        one = (await command("threads", "ada", "--json", "--limit", "1")).out.splitlines()
        assert [json.loads(line)["threadId"] in ("t1", "t2") for line in one] == [True]
        assert await command("threads", "nobody") == (0, "", "There are none.\n")

    story(work)


def test_a_thread_is_exported_and_imported(tmp_path: Path) -> None:
    file = str(tmp_path / "thread.jsonl")

    async def work(command: Command) -> None:
        await command("chat", "t1", "Grüße")
        assert "bytes" in (await command("export", "t1", "-o", file)).err
        assert await command("import", "t2", file) == (0, "t2 has 2 messages.\n", "")
        assert (await command("export", "t2", "--format", "md")).out == (
            await command("export", "t1", "--format", "md")
        ).out
        lines = await command("export", "t2")
        again = await command("import", "t2", file)
        assert (again.code, "add --replace" in again.err) == (2, True)
        assert (await command("import", "t2", "-", "--replace", stdin=lines.out)).code == 0
        assert (await command("export", "nothing")).code == 4

    story(work)


def test_documents_are_put_edited_and_guarded_by_their_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(command: Command) -> None:
        etag = (await command("docs", "put", ID, "notes", "-", stdin='{"a":1}')).out.strip()
        assert await command("docs", "get", ID, "notes") == (0, '{"a":1}\n', "")
        assert json.loads((await command("docs", "get", ID, "notes", "--json")).out)["value"] == {"a": 1}
        monkeypatch.setenv("EDITOR", "sed -i s/1/2/")
        assert (await command("docs", "edit", ID, "notes")).code == 0
        assert (await command("docs", "get", ID, "notes")).out == '{"a":2}\n'
        stale = await command("docs", "put", ID, "notes", "-", "--if-match", etag, stdin="3")
        assert (stale.code, "412" in stale.err) == (1, True)
        monkeypatch.setenv("EDITOR", "sed -i s/2/oops/")
        broken = await command("docs", "edit", ID, "notes")
        # What a person has written is not lost.
        assert (broken.code, '{\n  "a": oops\n}' in broken.err) == (2, True)
        monkeypatch.setenv("EDITOR", "true")
        assert (await command("docs", "edit", ID, "notes")).err == "Nothing was changed.\n"
        assert (await command("docs", "ls", ID)).out.split()[-1] == "notes"
        assert [entry["name"] for entry in json.loads((await command("docs", "ls", ID, "--json")).out)] == ["notes"]
        assert (await command("docs", "rm", ID, "notes")).code == 0
        assert (await command("docs", "get", ID, "notes")).code == 4

    story(work)


def test_pages_are_published_under_the_title_of_their_html() -> None:
    async def work(command: Command) -> None:
        html = "<title>Hello\n you</title><p>Hi"
        put = json.loads((await command("pages", "put", ID, "-", "--json", stdin=html)).out)
        assert put["url"] == f"{URL}/pages/{put['page']}"
        assert (await command("pages", "ls", ID)).out.endswith(f"{put['url']}  Hello you\n")
        assert [page["title"] for page in json.loads((await command("pages", "ls", ID, "--json")).out)] == ["Hello you"]
        assert (await command("pages", "rm", ID, put["page"])).code == 0
        assert (await command("pages", "ls", ID)).out == ""

    story(work)


def test_a_page_is_published_again_when_its_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "page.html"
    file.write_text("<p>one")

    async def work(command: Command) -> None:
        task = asyncio.ensure_future(command("pages", "put", ID, str(file), "--watch"))
        await said(lambda: command.out.getvalue() != "")
        file.write_text("<p>two, and more")
        await said(lambda: "Published again" in command.err.getvalue())
        # A file that can't be read any more is the end of it.
        file.write_bytes(b"\xff")
        done = await task
        assert (done.code, "is no text in UTF-8" in done.err) == (2, True)

    story(work)


def test_an_mcp_client_gets_what_it_is_configured_with() -> None:
    async def work(command: Command) -> None:
        url = f"{URL}/mcp/K7Q2M9XA"
        assert (await command("mcp", "k7q2-m9xa")).out == f"{url}\n"
        claude = await command("mcp", "K7Q2M9XA", "--client", "claude")
        assert claude.out == f"claude mcp add --transport http waypost {url}\n"
        cursor = await command("mcp", "K7Q2M9XA", "--client", "cursor", "--name", "tab")
        assert json.loads(cursor.out) == {"mcpServers": {"tab": {"url": url}}}
        code = json.loads((await command("mcp", "K7Q2M9XA", "--client", "vscode")).out)
        assert code == {"servers": {"waypost": {"type": "http", "url": url}}}

    story(work)


class Clock(httpx2.AsyncBaseTransport):
    """A server with its own idea of the time, and one origin that it allows."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        headers = {"date": "Thu, 01 Jan 2026 00:00:00 GMT"}
        if request.headers.get("origin") == "https://mine.test":
            headers["access-control-allow-origin"] = "https://mine.test"
        return httpx2.Response(200, headers=headers)


def test_doctor_checks_the_server_the_key_and_a_call() -> None:
    async def whole() -> None:
        client, _ = python_client(make_client())
        assert (await checks.check_health(client)).ok
        assert (await checks.check_app_key(client, None)) == ("app key", True, "none is needed")
        called = await checks.check_call(client)
        assert (called.ok, "a call and its answer took" in called.detail) == (True, True)
        async with httpx2.AsyncClient(transport=Clock()) as http:
            assert "off by" in (await checks.check_clock(http, URL)).detail
            assert (await checks.check_origin(http, URL, "https://mine.test")).ok
            refused = await checks.check_origin(http, URL, "https://other.test")
            assert (refused.ok, "ALLOWED_ORIGINS" in refused.detail) == (False, True)

    asyncio.run(whole())


def test_doctor_says_what_is_wrong_with_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    # What it asks without the client is refused immediately.
    monkeypatch.setenv("WAYPOST_URL", "http://127.0.0.1:1")

    async def work(command: Command) -> None:
        done = await command("doctor", "--json")
        report = json.loads(done.out)
        assert report["ok"] is (done.code == 0)
        names = [check["name"] for check in report["checks"]]
        assert names == ["program", "configuration", "server", "clock", "app key", "call"]

    story(work)

    def fail(_request: httpx2.Request) -> None:
        raise httpx2.ConnectError("nothing listens there")

    async def unreachable() -> None:
        _client, transport = python_client(make_client())
        transport.fail = fail
        done = await Command(transport)("doctor")
        assert done.code == 7
        assert "FAILED  server: The server at" in done.out

    asyncio.run(unreachable())
