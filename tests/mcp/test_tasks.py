"""Tasks: a client polls a long call from any isolate."""

import asyncio
from typing import Any

import pytest

from simulation.client import make_client
from simulation.virtual_time import VirtualClock
from tests.support.faulty_kv import FaultyKv
from tests.support.mcp_client import Mcp, answered, connected, put_tools, staying, store_tools, taken
from waypost_worker.kv.memory import MemoryKv

KNOWS_TASKS = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
FIELDS = {"resultType", "taskId", "status", "createdAt", "lastUpdatedAt", "ttlMs", "pollIntervalMs", "_meta"}


async def tasked(**options: Any) -> Mcp:
    return await connected(is_modern=True, capabilities=KNOWS_TASKS, **options)


async def begun(mcp: Mcp) -> dict[str, Any]:
    return await mcp.result("tools/call", {"name": "slow"})


async def state(mcp: Mcp, task: dict[str, Any]) -> dict[str, Any]:
    return await mcp.result("tasks/get", {"taskId": task["taskId"]})


async def test_a_call_that_is_answered_soon_is_no_task():
    mcp = await tasked()
    asking = asyncio.ensure_future(begun(mcp))
    await asyncio.sleep(4)
    await answered(mcp, 1)
    assert (await asking)["resultType"] == "complete"


async def test_a_call_that_takes_longer_becomes_a_task():
    mcp = await tasked()
    task = await begun(mcp)
    assert asyncio.get_running_loop().time() == pytest.approx(5, abs=0.1)
    assert set(task) == FIELDS
    assert (task["resultType"], task["status"]) == ("task", "working")
    assert (task["createdAt"], task["ttlMs"], task["pollIntervalMs"]) == (
        "2026-01-01T00:00:00.000Z",
        3_600_000,
        2000,
    )
    await taken(mcp)
    working = await state(mcp, task)
    assert (working["resultType"], working["status"], "result" in working) == ("complete", "working", False)


async def test_a_tab_that_answers_after_ten_minutes_completes_its_task_with_nobody_there_in_between():
    kv = MemoryKv(VirtualClock())
    mcp = await tasked(client=make_client(kv=kv))
    task = await begun(mcp)
    stay = asyncio.ensure_future(staying(mcp))
    await asyncio.sleep(600)
    await answered(mcp, {"n": 1})
    # Another client, another isolate: the task's id is all that is needed.
    other = Mcp(make_client(kv=kv, seed=7), mcp.session, is_modern=True, capabilities=KNOWS_TASKS)
    done = await state(other, task)
    assert (done["status"], done["result"]["structuredContent"]) == ("completed", {"n": 1})
    assert done["createdAt"] == task["createdAt"]
    assert done["lastUpdatedAt"] == "2026-01-01T00:10:05.000Z"
    stay.cancel()


@pytest.mark.parametrize(
    ("support", "seconds", "kind"),
    [
        ("optional", 0, "task"),
        ("required", 0, "task"),
        ("forbidden", 1, None),
        ("whatever", 5, "task"),
        (None, 5, "task"),
    ],
)
async def test_a_tool_says_whether_it_takes_its_time(support: str | None, seconds: float, kind: str | None):
    mcp = await tasked()
    await store_tools(mcp, {"name": "slow", "execution": {} if support is None else {"taskSupport": support}})
    if kind is None:
        stream = await mcp.stream("tools/call", {"name": "slow"})
        await stream.stop()
    else:
        assert (await begun(mcp))["resultType"] == kind
    assert asyncio.get_running_loop().time() == pytest.approx(seconds, abs=0.2)


async def test_a_tool_s_execution_that_makes_no_sense_changes_nothing():
    mcp = await tasked()
    await store_tools(mcp, {"name": "slow", "execution": 3})
    assert (await begun(mcp))["resultType"] == "task"


async def test_a_client_without_tasks_gets_none():
    mcp = await connected(is_modern=True)
    await put_tools(mcp, {"name": "slow", "execution": {"taskSupport": "optional"}}, {"name": "other"})
    stream = await mcp.stream("tools/call", {"name": "slow"})
    await answered(mcp, 1)
    assert [message["result"]["resultType"] for message in await stream.until_over()] == ["complete"]


async def test_a_tool_that_requires_tasks_is_refused_to_a_client_without_them():
    mcp = await connected(is_modern=True, capabilities={"extensions": []})
    await put_tools(mcp, {"name": "slow", "execution": {"taskSupport": "required"}})
    reply = await mcp.ask("tools/call", {"name": "slow"})
    assert (reply["status"], reply["error"]["code"]) == (400, -32021)
    assert reply["error"]["data"] == {"requiredCapabilities": KNOWS_TASKS}


async def test_a_client_that_accepts_only_streams_gets_no_task():
    mcp = await tasked()
    message = mcp.request("tools/call", {"name": "slow"})
    asking = asyncio.ensure_future(mcp.send(message, mcp.mirrored(message) | {"Accept": "text/event-stream"}))
    await asyncio.sleep(8)
    await answered(mcp, 1)
    assert b'"resultType":"complete"' in (await asking).body


async def test_the_result_of_a_task_is_what_the_call_would_have_been_answered_with():
    mcp = await tasked()
    task = await begun(mcp)
    await answered(mcp, {"content": [], "_meta": {"own": 1}})
    done = await state(mcp, task)
    assert done["result"] == {"resultType": "complete", "content": [], "_meta": {"own": 1}}


async def test_an_error_of_the_tool_completes_its_task():
    mcp = await tasked()
    task = await begun(mcp)
    await answered(mcp, error={"code": "tool_error", "message": "it broke"})
    done = await state(mcp, task)
    assert (done["status"], done["result"]["isError"]) == ("completed", True)
    assert done["result"]["content"] == [{"type": "text", "text": "it broke"}]


async def test_an_error_of_the_protocol_fails_it():
    mcp = await tasked()
    task = await begun(mcp)
    await answered(mcp, error={"code": "unknown_tool", "message": "no such tool"})
    failed = await state(mcp, task)
    assert (failed["status"], failed["error"]) == ("failed", {"code": -32602, "message": "no such tool"})
    assert failed["statusMessage"] == "no such tool"


async def test_a_task_can_be_cancelled_repeatedly():
    mcp = await tasked()
    task = await begun(mcp)
    await taken(mcp)
    for _ in range(2):
        acknowledged = await mcp.result("tasks/cancel", {"taskId": task["taskId"]})
        assert set(acknowledged) == {"resultType", "_meta"}
    assert (await state(mcp, task))["status"] == "cancelled"
    polled = await mcp.client.poll(mcp.session.code, mcp.session.host)
    assert {message["event"] for message in polled["messages"]} == {"cancel"}


async def test_a_task_that_is_over_stays_what_it_is():
    mcp = await tasked()
    task = await begun(mcp)
    await answered(mcp, 1)
    await mcp.result("tasks/cancel", {"taskId": task["taskId"]})
    assert (await state(mcp, task))["status"] == "completed"


async def test_what_a_tab_reports_on_the_way_is_the_task_s_message():
    mcp = await tasked()
    task = await begun(mcp)
    request = await taken(mcp)
    await asyncio.sleep(2)
    await mcp.client.answer(mcp.session, request["id"], {"progress": 1, "message": "half"}, final=False)
    working = await state(mcp, task)
    assert (working["status"], working["statusMessage"]) == ("working", "half")
    assert working["lastUpdatedAt"] > task["lastUpdatedAt"]


async def test_a_report_without_words_is_none():
    mcp = await tasked()
    task = await begun(mcp)
    request = await taken(mcp)
    await mcp.client.answer(mcp.session, request["id"], {"progress": 1}, final=False)
    assert "statusMessage" not in await state(mcp, task)


async def test_a_task_of_a_tab_that_is_away_says_so_and_waits():
    mcp = await tasked()
    task = await begun(mcp)
    assert "has not been there yet" in (await state(mcp, task))["statusMessage"]
    await answered(mcp, 1)
    assert (await state(mcp, task))["status"] == "completed"


async def test_a_task_nobody_has_is_told_apart_from_one_that_works():
    mcp = await tasked()
    task = await begun(mcp)
    other = await tasked(client=mcp.client)
    theirs = (await begun(other))["taskId"]
    request_id, _, signature = task["taskId"].rpartition(".")
    for id in (
        "",
        "x",
        request_id,
        f"{request_id}.",
        f"{request_id[:-1]}0.{signature}",
        theirs,
        mcp.session.host,
        3,
    ):
        for method, more in (("tasks/get", {}), ("tasks/cancel", {}), ("tasks/update", {"inputResponses": {}})):
            reply = await mcp.ask(method, {"taskId": id, **more}, **({"Mcp-Name": str(id)} if id else {}))
            # Who says that a task's id is empty, or a number, can't repeat it in a header.
            assert (reply["status"], reply["error"]["code"]) in ((400, -32602), (400, -32020))


async def test_a_task_can_not_be_told_anything_since_it_never_asks():
    mcp = await tasked()
    task = await begun(mcp)
    told = {"taskId": task["taskId"], "inputResponses": {"a": {"action": "accept"}}}
    assert set(await mcp.result("tasks/update", told)) == {"resultType", "_meta"}
    assert (await mcp.error("tasks/update", {"taskId": task["taskId"]}))["code"] == -32602


async def test_a_task_lives_for_as_long_as_it_said():
    mcp = await tasked(client=make_client())
    task = await begun(mcp)

    stay = asyncio.ensure_future(staying(mcp))
    await asyncio.sleep(3590)
    assert (await state(mcp, task))["status"] == "working"
    await asyncio.sleep(10)
    error = await mcp.error("tasks/get", {"taskId": task["taskId"]})
    assert (error["code"], error["message"]) == (-32602, "Failed to retrieve task: it has expired.")
    stay.cancel()


async def test_a_failure_to_cancel_a_task_is_no_error_and_is_logged():
    failing: set[str] = set()
    kv = FaultyKv(MemoryKv(VirtualClock()), lambda operation, _key: operation in failing)
    mcp = await tasked(client=make_client(kv=kv))
    task = await begun(mcp)
    failing.add("put")
    await mcp.result("tasks/cancel", {"taskId": task["taskId"]})
    assert "a call was not cancelled: storage_unavailable" in mcp.client.log[-1]


async def test_an_answer_whose_body_is_not_visible_yet_is_none_yet():
    kv = MemoryKv(VirtualClock())
    mcp = await tasked(client=make_client(kv=kv))
    task = await begun(mcp)
    await answered(mcp, "x" * 5000)
    [key] = [key for key in kv._entries if key.startswith("res:")]
    await kv.delete(key)
    assert (await state(mcp, task))["status"] == "working"
