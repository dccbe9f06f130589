"""The Python SDK of MCP, unchanged, against a tab: both generations, on the same URL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from tests.support.http_api import Api, Session
from tests.support.mcp_tab import TOOLS, Tab, tool
from tests.support.waiting import eventually

MODES = pytest.mark.parametrize(("mode", "version"), [("legacy", "2025-11-25"), ("auto", "2026-07-28")])


@pytest.fixture
def tab(api: Api) -> Iterator[tuple[Session, Tab, str]]:
    """A tab, and the URL of its tools."""
    session = api.open_session()
    with Tab(session) as host:
        yield session, host, f"{api.url}/mcp/{session.code}"


@MODES
def test_it_lists_and_calls_the_tools(tab: tuple[Session, Tab, str], mode: str, version: str) -> None:
    session, host, url = tab

    async def story() -> None:
        async with Client(url, mode=mode) as client:
            assert client.protocol_version == version
            listed = await client.list_tools()
            assert [item.name for item in listed.tools] == [item["name"] for item in TOOLS]
            result = await client.call_tool("echo", {"n": 1.5})
            assert (result.structured_content, result.is_error) == ({"n": 1.5}, False)
            failed = await client.call_tool("test_error_handling", {})
            assert (failed.is_error, failed.content[0].text) == (
                True,
                "This tool intentionally returns an error for testing",
            )
            # Longer than a reply in JSON is waited for.
            assert (await client.call_tool("slow", {"seconds": 2})).content[0].text == "done"
            with pytest.raises(MCPError, match='no tool "nothing"'):
                await client.call_tool("nothing", {})
            assert (await client.list_resources()).resources == []

    asyncio.run(story())
    assert [request["tool"] for request in host.asked] == ["echo", "test_error_handling", "slow", "nothing"]


@MODES
def test_it_hears_progress(tab: tuple[Session, Tab, str], mode: str, version: str) -> None:
    heard: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    async def story() -> None:
        async with Client(tab[2], mode=mode) as client:
            await client.call_tool("report", {}, progress_callback=note)

    asyncio.run(story())
    assert heard == [(0, 100, "0 %"), (50, 100, "50 %"), (100, 100, "100 %")]


@MODES
def test_many_calls_at_once_each_get_their_own_answer(tab: tuple[Session, Tab, str], mode: str, version: str) -> None:
    async def story() -> None:
        async with Client(tab[2], mode=mode) as client:
            results = await asyncio.gather(*(client.call_tool("echo", {"n": number}) for number in range(20)))
            assert [result.structured_content["n"] for result in results] == list(range(20))

    asyncio.run(story())


@MODES
def test_giving_up_takes_the_call_back(tab: tuple[Session, Tab, str], mode: str, version: str) -> None:
    session, host, url = tab

    async def story() -> None:
        async with Client(url, mode=mode) as client:
            with pytest.raises(MCPError):
                await client.call_tool("never", {}, read_timeout_seconds=3)

    asyncio.run(story())
    [request] = host.asked
    # The host is told, and whoever asks for the answer gets `cancelled`; a closed stream is noticed at the next write.
    eventually(
        lambda: session.ask(id=request["id"], tool="never").json().get("error", {}).get("code") == "cancelled", 20
    )


def test_it_is_told_of_new_tools_on_the_stream_that_it_holds(tab: tuple[Session, Tab, str]) -> None:
    session, _, url = tab

    async def story(mode: str) -> None:
        told = asyncio.Event()

        async def handle(message: Any) -> None:
            if getattr(message, "method", "") == "notifications/tools/list_changed":
                told.set()

        async with Client(url, mode=mode, message_handler=handle) as client:
            await client.list_tools()
            await asyncio.sleep(1)
            await asyncio.to_thread(session.put_tools, tool("new"))
            await asyncio.wait_for(told.wait(), 15)
            assert [item.name for item in (await client.list_tools()).tools] == ["new"]

    asyncio.run(story("legacy"))


def test_it_is_told_of_new_tools_by_its_subscription(tab: tuple[Session, Tab, str]) -> None:
    session, _, url = tab

    async def story() -> None:
        async with Client(url) as client, client.listen(tools_list_changed=True) as subscription:
            assert subscription.honored.tools_list_changed is True
            await asyncio.to_thread(session.put_tools, tool("new"))
            await asyncio.wait_for(anext(subscription), 15)

    asyncio.run(story())


def test_a_tab_that_is_away_is_an_error_that_says_so(api: Api) -> None:
    session = api.open_session()

    async def story() -> None:
        async with Client(f"{api.url}/mcp/{session.code}") as client:
            with pytest.raises(MCPError, match="The tab has not been there yet.") as raised:
                await client.call_tool("echo", {})
            assert raised.value.error.data["open"] == f"{api.url}/"

    asyncio.run(story())


def test_a_code_that_nobody_has_is_an_error_that_says_so(api: Api) -> None:
    async def story() -> None:
        async with Client(f"{api.url}/mcp/00000000"):
            pass

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(story())
    assert raised.group_contains(MCPError, match="No session has this code now")
