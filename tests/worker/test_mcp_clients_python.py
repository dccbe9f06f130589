"""The Python SDK as it is (PyPI `mcp`), in each of its modes, against the Worker and a tab."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import pytest

from tests.support.http_api import Api
from tests.worker.mcp_clients.front_door import FrontDoor
from tests.worker.mcp_clients.tab import Tab
from tools.local.harness.worker import LocalWorker

if TYPE_CHECKING:
    # It takes a second or more to load, in each process that collects the tests.
    from mcp.client.client import Client

AGREED = {"auto": "2026-07-28", "legacy": "2025-11-25", "2026-07-28": "2026-07-28"}
"""Mode of the client -> the revision it is to agree on."""

MODES = tuple(AGREED)
ONE_OF_EACH = ("auto", "legacy")
"""The generations: what `auto` agrees on is 2026-07-28."""

DEFINITIONS = json.loads((Path(__file__).parents[1] / "client" / "tool-definitions.json").read_text())
"""The table of definitions that the server takes and refuses."""

PATIENCE_SECONDS = 120.0
UNKNOWN_TOOL = -32602

T = TypeVar("T")


@pytest.fixture(scope="module")
def tab(worker: LocalWorker) -> Iterator[Tab]:
    with Tab(worker.url) as tab:
        yield tab


def connected(url: str, mode: str, act: Callable[[Client], Awaitable[T]], **options: Any) -> T:
    """What `act` returns, given a connected client."""

    from mcp.client.client import Client

    async def run() -> T:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async with Client(url, mode=mode, **options) as client:
                return await act(client)

    return asyncio.run(run())


@pytest.mark.parametrize(("mode", "version"), list(AGREED.items()))
def test_it_agrees_on_the_revision_that_its_mode_is_for(tab: Tab, mode: str, version: str) -> None:
    async def look(client: Client) -> tuple[str, str | None, str]:
        info = client.server_info
        return client.protocol_version, info and info.name, client.instructions or ""

    # With a revision given, it asks for nothing first, so it knows nothing of the server yet.
    told = (None, "") if mode == "2026-07-28" else ("waypost", "The tools are those of a program")
    found, name, instructions = connected(tab.mcp_url, mode, look)
    assert (found, name) == (version, told[0])
    assert instructions.startswith(told[1])
    assert tab.code not in instructions


@pytest.mark.parametrize("mode", MODES)
def test_it_lists_the_tools_as_the_tab_offers_them(tab: Tab, mode: str) -> None:
    async def look(client: Client) -> list[Any]:
        return (await client.list_tools()).tools

    tools = connected(tab.mcp_url, mode, look)
    names = [tool.name for tool in tools]
    assert names.index("test_simple_text") < names.index("hold") < names.index("add") < names.index("greet")
    add = next(tool for tool in tools if tool.name == "add")
    assert (add.description, add.input_schema["required"]) == ("The sum", ["a", "b"])


@pytest.mark.parametrize("mode", MODES)
def test_it_calls_a_tool_and_gets_its_answer_as_text_and_as_structure(tab: Tab, mode: str) -> None:
    async def call(client: Client) -> Any:
        # With the list known, the SDK holds the structure against the tool's output schema.
        await client.list_tools()
        return await client.call_tool("add", {"a": 1, "b": 2})

    result = connected(tab.mcp_url, mode, call)
    assert (result.is_error or False, result.structured_content) == (False, {"sum": 3})
    assert [text(block) for block in result.content] == ['{"sum":3}']


@pytest.mark.parametrize("mode", ONE_OF_EACH)
def test_a_call_that_it_makes_in_a_trace_reaches_the_tab_in_that_trace(tab: Tab, mode: str) -> None:
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

    parent = SpanContext(0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7, False, TraceFlags(1))

    async def call(client: Client) -> list[Any]:
        with use_span(NonRecordingSpan(parent)):
            traced = await client.call_tool("trace", {})
        return [traced.structured_content, (await client.call_tool("trace", {})).structured_content]

    traced, plain = connected(tab.mcp_url, mode, call)
    assert traced == {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
    assert plain == {"traceparent": None}


@pytest.mark.parametrize("mode", ONE_OF_EACH)
def test_it_reads_every_list_that_the_server_takes(api: Api, mode: str) -> None:
    session = api.open_session()
    tools = [{**case["tool"], "name": f"t{index}"} for index, case in enumerate(DEFINITIONS["normalised"])]
    assert session.put_tools(*tools).status_code == 200
    assert session.put_tools({"name": "bad", "title": 5}, *tools).status_code == 400

    async def look(client: Client) -> list[str]:
        return [tool.name for tool in (await client.list_tools()).tools]

    assert connected(f"{api.url}/mcp/{session.code}", mode, look) == [tool["name"] for tool in tools]


@pytest.mark.parametrize("mode", ONE_OF_EACH)
def test_it_calls_a_tool_by_the_name_that_models_take(tab: Tab, mode: str) -> None:
    name = f"cart.add/{mode}"
    tab.tell("offer", name)

    async def call(client: Client) -> tuple[str | None, list[str]]:
        listed = None
        while listed is None:
            found = (await client.list_tools()).tools
            listed = next((tool for tool in found if tool.name == f"cart_add_{mode}"), None)
        results = [await client.call_tool(called, {}) for called in (listed.name, name)]
        return listed.title, [text(result.content[0]) for result in results]

    assert connected(tab.mcp_url, mode, call) == (name, [name, name])


@pytest.mark.parametrize("mode", MODES)
def test_it_repeats_an_argument_in_a_header_where_the_tool_asks_for_it(tab: Tab, mode: str) -> None:
    async def call(client: Client) -> Any:
        await client.list_tools()
        return await client.call_tool("test_headers", {"region": "Île-de-France"})

    assert text(connected(tab.mcp_url, mode, call).content[0]) == "Île-de-France"


@pytest.mark.parametrize("mode", MODES)
def test_it_hears_how_far_a_call_is(tab: Tab, mode: str) -> None:
    heard: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    async def call(client: Client) -> Any:
        return await client.call_tool("test_tool_with_progress", {}, progress_callback=hear)

    assert text(connected(tab.mcp_url, mode, call).content[0]) == "Done."
    assert heard == [(done, 100, f"{done} of 100") for done in (0, 50, 100)]


@pytest.mark.parametrize("mode", MODES)
def test_a_tools_failure_is_a_result_for_the_model_and_a_tool_that_is_not_there_an_error(tab: Tab, mode: str) -> None:
    from mcp import MCPError

    async def call(client: Client) -> Any:
        failed = await client.call_tool("test_error_handling", {})
        with pytest.raises(MCPError) as caught:
            await client.call_tool("no_such_tool", {})
        return failed, caught.value.error.code

    failed, code = connected(tab.mcp_url, mode, call)
    assert failed.is_error
    assert text(failed.content[0]) == "This tool intentionally returns an error for testing"
    assert code == UNKNOWN_TOOL


@pytest.mark.parametrize("mode", MODES)
def test_it_reads_the_pages_and_documents_of_the_session(tab: Tab, api: Api, mode: str) -> None:
    page, document = f"page-{tab.code}", {"colour": "blue"}
    put = api.call("PUT", f"/api/pages/{page}", {"html": "<p>Hello", "title": "A page", "sessionId": tab.session_id})
    assert put.status_code in (200, 201)
    assert api.call("PUT", f"/api/sessions/{tab.session_id}/documents/notes", document).status_code in (200, 201)

    async def read(client: Client) -> tuple[dict[str, str], list[Any]]:
        listed = {resource.uri: resource.name for resource in (await client.list_resources()).resources}
        return listed, [(await client.read_resource(uri)).contents[0] for uri in listed]

    listed, contents = connected(tab.mcp_url, mode, read)
    assert listed == {f"waypost://pages/{page}": "A page", "waypost://documents/notes": "notes"}
    assert [(each.mime_type, each.text) for each in contents] == [
        ("text/html", "<p>Hello"),
        ("application/json", '{"colour": "blue"}'),
    ]


@pytest.mark.parametrize("mode", ONE_OF_EACH)
def test_a_call_that_it_cancels_is_taken_back_in_the_tab(tab: Tab, mode: str) -> None:
    count = len(tab.runs("hold"))

    async def call(client: Client) -> None:
        async with anyio.create_task_group() as tasks:
            begun = anyio.Event()

            async def hear(*_: Any) -> None:
                begun.set()

            async def hold() -> None:
                await client.call_tool("hold", {}, progress_callback=hear)

            tasks.start_soon(hold)
            await begun.wait()
            tasks.cancel_scope.cancel()
        # What it says about that is still on its way.
        await anyio.to_thread.run_sync(lambda: tab.wait_cancelled(tab.runs("hold")[count]))

    connected(tab.mcp_url, mode, call)


@pytest.mark.parametrize("mode", ONE_OF_EACH)
def test_calls_that_it_makes_at_once_each_get_their_own_answer(tab: Tab, mode: str) -> None:
    async def call(client: Client) -> list[Any]:
        return await asyncio.gather(*(client.call_tool("add", {"a": number, "b": 1}) for number in range(20)))

    results = connected(tab.mcp_url, mode, call)
    assert [result.structured_content for result in results] == [{"sum": number + 1} for number in range(20)]


def test_a_tab_that_is_away_is_an_error_that_says_what_to_open(api: Api) -> None:
    from mcp import MCPError

    session = api.open_session(data={"url": "https://app.example/trip"})

    async def call(client: Client) -> Any:
        with pytest.raises(MCPError) as caught:
            await client.call_tool("add", {})
        return caught.value.error

    error = connected(f"{api.url}/mcp/{session.code}", "auto", call)
    assert error.data["code"] == "tab_away"
    assert error.data["open"] == "https://app.example/trip"
    assert "Open https://app.example/trip" in error.message


def test_a_code_that_nobody_has_is_an_error_at_once(api: Api) -> None:
    from mcp import MCPError

    async def nothing(_: Client) -> None: ...

    with pytest.raises((MCPError, ExceptionGroup)) as caught:
        connected(f"{api.url}/mcp/00000000", "auto", nothing)
    found = caught.value
    assert isinstance(found, MCPError) or caught.group_contains(MCPError, match="No session has this code")


def test_a_legacy_client_hears_that_the_tools_have_changed(tab: Tab) -> None:
    from mcp_types import ToolListChangedNotification

    heard = asyncio.Event()

    async def hear(message: Any) -> None:
        if isinstance(message, ToolListChangedNotification):
            heard.set()

    async def listen(client: Client) -> list[str]:
        # The client opens its stream in the background, and gets nothing of what came before.
        for number in count(1):
            tab.tell("offer", f"offered_to_legacy_{number}")
            with suppress(TimeoutError):
                await asyncio.wait_for(heard.wait(), 3)
                break
        return [tool.name for tool in (await client.list_tools()).tools]

    assert "offered_to_legacy_1" in connected(tab.mcp_url, "legacy", listen, message_handler=hear)


def test_a_new_client_that_subscribes_hears_that_the_tools_have_changed(tab: Tab) -> None:
    async def listen(client: Client) -> list[str]:
        async with client.listen(tools_list_changed=True) as news:
            tab.tell("offer", "offered_to_modern")
            await anext(aiter(news))
        return [tool.name for tool in (await client.list_tools()).tools]

    assert "offered_to_modern" in connected(tab.mcp_url, "auto", listen)


def test_a_legacy_call_whose_stream_breaks_is_taken_up_again_and_has_run_once(tab: Tab, worker: LocalWorker) -> None:
    count = len(tab.runs("hold"))

    async def call(client: Client) -> Any:
        async def break_it(*_: Any) -> None:
            await anyio.to_thread.run_sync(door.cut)
            tab.tell("release")

        return await client.call_tool("hold", {"kept": True}, progress_callback=break_it)

    with FrontDoor(worker.port) as door:
        result = connected(tab.mcp_url_at(door.url), "legacy", call)
    assert result.structured_content == {"kept": True}
    assert len(tab.runs("hold")) == count + 1


def text(block: Any) -> str:
    assert block.type == "text"
    return str(block.text)
