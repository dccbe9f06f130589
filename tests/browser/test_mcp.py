"""MCP clients, the Python SDK as it is, at a tab in Chromium."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenConsole
from tests.browser.watch import Watch

if TYPE_CHECKING:
    # It takes a second or more to load, in each process that collects the tests.
    from mcp.client.client import Client

CLIENTS, CALLS = 8, 25
GENERATIONS = ("legacy", "2026-07-28")
PATIENCE_SECONDS = 120.0

ECHO = """async () => {
    const { createSession, Host } = await import("/waypost.js");
    const host = new Host(await createSession());
    window.ran = [];
    const echo = { name: "echo", description: "Says it again", inputSchema: { type: "object" } };
    host.tool(echo, ({ word, tells }, call) => {
        window.ran.push(word);
        if (tells) call.progress(word);
        return { content: [{ type: "text", text: word }] };
    });
    await host.connect();
    return host.session.code;
}"""
"""Makes the page a tab of its own; `ran` has what was asked."""

T = TypeVar("T")


async def connected(url: str, mode: str, act: "Callable[[Client], Awaitable[T]]") -> T:
    """Return the result of `act` with a connected client."""
    from mcp.client.client import Client

    async with asyncio.timeout(PATIENCE_SECONDS), Client(url, mode=mode) as client:
        return await act(client)


def test_two_hundred_concurrent_calls_of_eight_clients_each_get_their_own_answer(open_console: OpenConsole) -> None:
    tab = open_console()
    url = f"{tab.url}/mcp/{tab.page.evaluate(ECHO)}"

    async def all_at_once() -> list[list[str]]:
        return await asyncio.gather(*(one(number) for number in range(CLIENTS)))

    async def one(number: int) -> list[str]:
        # All clients use the same ids for their calls and the same tokens for their progress.
        return await connected(url, GENERATIONS[number % 2], lambda client: echoed(client, number))

    async def echoed(client: "Client", number: int) -> list[str]:
        heard = []
        for count, word in enumerate(words(number)):
            told: list[str | None] = []

            async def hear(_progress: float, _total: float | None, message: str | None, told: list = told) -> None:
                told.append(message)

            # One in five is answered in a stream, after what the tab reports.
            tells = {"progress_callback": hear} if count % 5 == 0 else {}
            result = await client.call_tool("echo", {"word": word, "tells": bool(tells)}, **tells)
            assert told == ([word] if tells else [])
            heard.append(result.content[0].text)
        return heard

    # Playwright has a loop of its own in this thread.
    with ThreadPoolExecutor(1) as thread:
        answers = thread.submit(asyncio.run, all_at_once()).result(PATIENCE_SECONDS)
    assert answers == [words(number) for number in range(CLIENTS)]
    ran = tab.page.evaluate("window.ran")
    assert sorted(ran) == sorted(word for number in range(CLIENTS) for word in words(number))


@pytest.mark.parametrize("mode", GENERATIONS)
def test_a_reload_in_the_middle_of_a_call_does_not_end_it(open_console: OpenConsole, watch: Watch, mode: str) -> None:
    watch.expects_network_errors = True
    tab = open_console()
    url = f"{tab.url}/mcp/{tab.wait_online()}"

    async def ask(client: "Client") -> object:
        result = await client.call_tool("ask_person", {"question": "Before or after?"})
        return result.structured_content

    with ThreadPoolExecutor(1) as thread:
        asking = thread.submit(asyncio.run, connected(url, mode, ask))
        expect(tab.question).to_be_visible()
        tab.page.reload()
        tab.wait_online()
        expect(tab.question).to_have_count(1)
        tab.page.get_by_label("Your answer").fill("After")
        tab.page.get_by_role("button", name="Answer").click()
        assert asking.result(PATIENCE_SECONDS)["answer"] == "After"


def words(number: int) -> list[str]:
    """The texts that this client sends and no other one."""
    return [f"client {number}, call {count}" for count in range(CALLS)]
