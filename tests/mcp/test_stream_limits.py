"""Clients that break off at a large event get JSON for longer, and then an error that says why."""

import asyncio
import json

import pytest

from tests.support.mcp_client import Mcp, answered, connected
from waypost_worker.limits import MCP_LIMITED_EVENT_BYTES, MCP_LIMITED_PATIENCE_MILLISECONDS

LIMITED, OTHER = "python-httpx2/2.16.2", "node"
generations = pytest.mark.parametrize("is_modern", [False, True], ids=["legacy", "modern"])


async def asked(mcp: Mcp, agent: str, seconds: float, size: int) -> tuple[str, dict]:
    """The media type of the reply, and its result, if the tab answers after `seconds` with a text of `size`."""
    # The tab is there: a call would not wait for one that is away.
    await mcp.client.poll(mcp.session.code, mcp.session.host)
    call = mcp.request("tools/call", {"name": "echo", "arguments": {}})
    asking = asyncio.ensure_future(mcp.send(call, mcp.mirrored(call) | {"User-Agent": agent}))
    await asyncio.sleep(seconds)
    await answered(mcp, {"content": [{"type": "text", "text": "x" * size}]})
    reply = await asking
    longest = max(reply.body.decode().split("\n"), key=len).removeprefix("data: ")
    return reply.headers["Content-Type"].partition(";")[0], json.loads(longest)["result"]


@generations
async def test_a_large_result_that_comes_soon_enough_is_json_for_them(is_modern: bool):
    mcp = await connected(is_modern=is_modern)
    seconds = MCP_LIMITED_PATIENCE_MILLISECONDS / 1000 - 1
    for agent, media_type in ((LIMITED, "application/json"), (OTHER, "text/event-stream")):
        found, result = await asked(mcp, agent, seconds, MCP_LIMITED_EVENT_BYTES)
        assert (found, len(result["content"][0]["text"])) == (media_type, MCP_LIMITED_EVENT_BYTES)


@generations
async def test_one_that_comes_later_is_an_error_for_them_and_whole_for_others(is_modern: bool):
    mcp = await connected(is_modern=is_modern)
    seconds = MCP_LIMITED_PATIENCE_MILLISECONDS / 1000 + 1
    _, result = await asked(mcp, OTHER, seconds, MCP_LIMITED_EVENT_BYTES)
    assert len(result["content"][0]["text"]) == MCP_LIMITED_EVENT_BYTES
    _, small = await asked(mcp, LIMITED, seconds, 1000)
    assert small["content"][0]["text"] == "x" * 1000
    media_type, refused = await asked(mcp, LIMITED, seconds, MCP_LIMITED_EVENT_BYTES)
    assert (media_type, refused["isError"]) == ("text/event-stream", True)
    assert refused["content"][0]["text"].startswith("The tool has answered with 1.0 MiB, after more than 10 s.")
    assert refused["_meta"]["waypost/error"]["code"] == "answer_too_large"


async def test_a_call_that_becomes_a_task_waits_no_longer_for_them():
    capabilities = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
    mcp = await connected(is_modern=True, capabilities=capabilities)
    began = asyncio.get_running_loop().time()
    call = mcp.request("tools/call", {"name": "echo", "arguments": {}})
    reply = await mcp.send(call, mcp.mirrored(call) | {"User-Agent": LIMITED})
    assert reply.json()["result"]["resultType"] == "task"
    assert asyncio.get_running_loop().time() - began < 6
