"""`POST /api/threads` and `PATCH /api/threads/{threadId}`: threads begin without a question, and are renamed and
archived."""

import asyncio
from typing import Any

import pytest

from simulation.client import Reply
from tests.support.thread_routes import ADA, START, Setting
from waypost_worker.kv.keys import thread_key
from waypost_worker.models.settings import Agent, ModelSettings

DAY = 24 * 3600


async def begin(at: Setting, **fields: Any) -> Reply:
    return await at.client.call("POST", "/api/threads", {"threadId": "t", "resourceId": ADA, **fields})


async def change(at: Setting, thread_id: str = "t", **fields: Any) -> Reply:
    return await at.client.call("PATCH", f"/api/threads/{thread_id}", {"resourceId": ADA, **fields})


async def test_a_thread_is_begun_without_a_question_and_listed():
    at = Setting()
    reply = await begin(at, title="Trip", metadata={"a": 1}, agent="helper")
    session = reply.json()["session"]
    assert (reply.status, session) == (
        201,
        {
            "threadId": "t",
            "resourceId": ADA,
            "sessionId": at.threads.session_id_for(ADA, "t"),
            "createdAt": START,
            "updatedAt": START,
            "metadata": {"a": 1},
            "agent": "helper",
            "title": "Trip",
        },
    )
    assert (await at.listed())["sessions"] == [session]
    history = await at.client.call("GET", f"/api/conversations/{session['sessionId']}")
    assert history.json()["messages"] == []


async def test_beginning_it_again_changes_nothing():
    at = Setting()
    first = (await begin(at, title="Trip")).json()
    await change(at, title="Renamed", archived=True)
    again = await begin(at, title="Trip", metadata={"b": 2})
    assert again.status == 200
    assert again.json()["session"] == {**first["session"], "title": "Renamed", "archived": True}
    assert [operation for operation, _ in at.kv.asked].count("put") == 2


async def test_a_chat_goes_on_in_a_thread_that_was_begun_and_keeps_its_title():
    at = Setting()
    await begin(at, title="Trip")
    await asyncio.sleep(1)
    asked = {"threadId": "t", "resourceId": ADA, "message": "Hi"}
    assert (await at.client.call("POST", "/api/chat", asked)).status == 200
    [session] = (await at.listed())["sessions"]
    assert (session["title"], session["updatedAt"]) == ("Trip", "2026-01-01T00:00:01.000Z")


async def test_an_agent_that_is_not_configured_is_refused():
    at = Setting(model=ModelSettings(agents={"helper": Agent(None, None)}))
    reply = await begin(at, agent="other")
    assert (reply.status, reply.json()["code"]) == (400, "unknown_agent")


async def test_a_thread_is_renamed_and_archived_and_that_does_not_count_as_use():
    at = Setting()
    await begin(at, metadata={"a": 1})
    await asyncio.sleep(60)
    renamed = (await change(at, title="New")).json()["session"]
    assert (renamed["title"], renamed["updatedAt"], renamed["metadata"]) == ("New", START, {"a": 1})
    archived = (await change(at, archived=True)).json()["session"]
    assert (archived["title"], archived["archived"]) == ("New", True)
    back = (await change(at, archived=False, title="", metadata={})).json()["session"]
    assert back.keys() == {"threadId", "resourceId", "sessionId", "createdAt", "updatedAt"}
    assert (await at.describe())["session"] == back


async def test_a_change_of_nothing_writes_nothing():
    at = Setting()
    await begin(at, title="Trip")
    at.operations()
    assert (await change(at, title="Trip", archived=False)).status == 200
    assert (await change(at)).status == 200
    assert at.operations() == ["list", "list"]


async def test_lists_have_archived_threads_or_others_or_both():
    at = Setting()
    for name in ("a", "b"):
        await at.saved(name)
    await change(at, "b", archived=True)
    for query, names in (({}, ["a", "b"]), ({"archived": "true"}, ["b"]), ({"archived": "false"}, ["a"])):
        assert [session["threadId"] for session in (await at.listed(**query))["sessions"]] == names
    assert (await at.listed(archived="yes"))["code"] == "invalid_parameter"


async def test_a_thread_that_is_not_there_is_404():
    reply = await change(Setting(), title="New")
    assert (reply.status, reply.json()["code"]) == (404, "thread_not_found")


async def test_without_a_resource_a_thread_to_change_is_its_own_and_one_to_begin_must_name_it():
    at = Setting()
    await at.saved("t", "t")
    assert (await at.client.call("PATCH", "/api/threads/t", {"title": "New"})).status == 200
    reply = await at.client.call("POST", "/api/threads", {"threadId": "t"})
    assert (reply.status, reply.json()["code"]) == (400, "invalid_body")


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "x" * 121},
        {"title": "a\nb"},
        {"title": "a\u2028b"},
        {"title": 5},
        {"metadata": {"a": "x" * 600}},
        {"title": "\u4e16" * 120, "metadata": {"a": '"' * 200}},
    ],
)
async def test_what_can_not_be_kept_is_refused_and_nothing_is_written(fields: dict[str, Any]):
    at = Setting()
    assert (await begin(at, **fields)).status == 400
    await at.saved()
    assert (await change(at, **fields)).status == 400
    assert ("put", thread_key(ADA, "t")) not in at.kv.asked


async def test_beginning_again_after_a_day_renews_the_thread_and_its_history_for_30_days():
    at = Setting()
    thread = (await begin(at)).json()["session"]
    path = f"/api/conversations/{thread['sessionId']}"
    await at.client.call("POST", f"{path}/messages", {"messages": [{"role": "user", "content": "a"}]})
    await asyncio.sleep(DAY - 1)
    at.operations()
    assert (await begin(at)).json()["session"] == thread
    assert at.operations() == ["list"]
    await asyncio.sleep(28 * DAY)
    renewed = (await begin(at)).json()["session"]
    assert renewed["updatedAt"] > thread["updatedAt"]
    await asyncio.sleep(29 * DAY)
    assert len((await at.client.call("GET", path)).json()["messages"]) == 1
    assert (await at.listed())["count"] == 1
