"""A call reaches the tab, and its result the client, ahead of the writes; an id to come back with follows them."""

import asyncio

import pytest

from simulation.client import make_client
from simulation.virtual_time import VirtualClock
from tests.support.listener import Listener, listen
from tests.support.mcp_client import Mcp, connected, put_tools
from tests.support.slow_messages import WRITE_SECONDS, SlowKv

KNOWS_TASKS = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
OPTIONAL = {"name": "slow", "execution": {"taskSupport": "optional"}}
WITH_PROGRESS = {"name": "slow", "_meta": {"progressToken": 1}}


class Setting:
    """A tab whose host listens in the isolate of the client, on a slow store."""

    def __init__(self, store: SlowKv, mcp: Mcp, stream: Listener) -> None:
        self.store, self.mcp, self.stream = store, mcp, stream

    async def take(self) -> str:
        await self.stream.until_event(2)
        return str(self.stream.data("request")[0]["id"])


async def begin(*, is_modern: bool = False, **options: object) -> Setting:
    store = SlowKv(VirtualClock())
    mcp = await connected(is_modern=is_modern, client=make_client(kv=store), **options)
    await put_tools(mcp, OPTIONAL)
    stream = await listen(mcp.client, f"/api/stream?code={mcp.session.code}", token=mcp.session.host)
    await stream.until_event(1)
    return Setting(store, mcp, stream)


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("is_modern", [True, False])
async def test_a_result_waits_for_no_write(is_modern: bool):
    at = await begin(is_modern=is_modern)
    calling = asyncio.ensure_future(at.mcp.result("tools/call", {"name": "slow"}))
    answering = asyncio.ensure_future(at.mcp.client.answer(at.mcp.session, await at.take(), "done"))
    assert (await calling)["content"] == [{"type": "text", "text": "done"}]
    assert now() < 0.1
    assert (await answering).status == 202
    await at.stream.stop()


async def test_a_task_has_its_id_after_the_write():
    at = await begin(is_modern=True, capabilities=KNOWS_TASKS)
    task = await at.mcp.result("tools/call", {"name": "slow"})
    assert (task["resultType"], round(now())) == ("task", WRITE_SECONDS)
    await at.stream.stop()


@pytest.mark.parametrize("is_modern", [True, False])
async def test_the_stream_of_a_call_is_opened_after_the_write(is_modern: bool):
    at = await begin(is_modern=is_modern)
    calling = asyncio.ensure_future(at.mcp.stream("tools/call", WITH_PROGRESS))
    await at.mcp.client.answer(at.mcp.session, await at.take(), "half", final=False)
    stream = await calling
    assert round(now()) == WRITE_SECONDS
    await stream.stop()
    await at.stream.stop()


@pytest.mark.parametrize("is_modern", [True, False])
async def test_a_call_that_is_not_stored_and_not_answered_is_an_error(is_modern: bool):
    at = await begin(is_modern=is_modern)
    at.store.refused, at.store.seconds = ("req:",), 0.1
    error = await at.mcp.error("tools/call", {"name": "slow"})
    assert error["data"]["code"] == "storage_unavailable"
    assert now() < 15
    await at.stream.stop()


async def test_a_result_that_came_is_worth_more_than_a_call_that_was_not_stored():
    at = await begin()
    at.store.refused, at.store.seconds = ("req:", "res:"), 0.1
    calling = asyncio.ensure_future(at.mcp.result("tools/call", {"name": "slow"}))
    reply = await at.mcp.client.answer(at.mcp.session, await at.take(), "done")
    assert reply.status == 503
    assert (await calling)["content"] == [{"type": "text", "text": "done"}]
    await at.stream.stop()


async def test_a_call_that_its_client_cancels_while_it_is_written_is_cancelled():
    at = await begin()
    at.store.seconds = 0.1
    calling = asyncio.ensure_future(at.mcp.error("tools/call", {"name": "slow"}, id="mine"))
    await at.take()
    assert (await at.mcp.notify("notifications/cancelled", {"requestId": "mine"})).status == 202
    assert (await calling)["data"] == {"code": "cancelled"}
    await at.stream.until_event(3)
    assert at.stream.names() == ["ready", "request", "cancel"]
    await at.stream.stop()
