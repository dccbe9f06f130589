"""`GET /api/sessions`: the threads of an app are listed; and which names a thread can have."""

import asyncio

import pytest

from simulation.client import make_client
from tests.support.thread_routes import ADA, START, Setting
from waypost_worker.limits import DEFAULT_LISTED_THREADS, MAX_LISTED_THREADS


async def test_a_list_shows_each_thread_and_its_conversation():
    at = Setting()
    thread = await at.saved("t 1")
    await asyncio.sleep(1.5)
    await at.threads.save(at.threads.touch(thread))
    assert await at.listed() == {
        "status": 200,
        "sessions": [
            {
                "threadId": "t 1",
                "resourceId": ADA,
                "sessionId": at.threads.session_id_for(ADA, "t 1"),
                "createdAt": START,
                "updatedAt": "2026-01-01T00:00:01.500Z",
            }
        ],
        "count": 1,
    }


async def test_metadata_agent_and_origin_are_shown_where_there_are_some():
    at = Setting()
    parent = await at.saved(title="Holidays")
    await at.threads.save(await at.threads.fork(parent, "fork", "m1", "helper"))
    [shown] = (await at.listed(limit=1))["sessions"]
    assert shown["metadata"] == {"title": "Holidays"}
    assert shown["forkedFrom"] == {"threadId": "t", "messageId": "m1"}
    assert shown["agent"] == "helper"
    await at.threads.save(await at.threads.fork(parent, "fork"))
    [shown] = (await at.listed(limit=1))["sessions"]
    assert shown["forkedFrom"] == {"threadId": "t"}


async def test_a_resource_without_threads_has_an_empty_list():
    assert await Setting().listed() == {"status": 200, "sessions": [], "count": 0}


async def test_a_list_is_turned_page_by_page_with_its_cursor():
    at = Setting()
    for number in range(5):
        await at.saved(f"t{number}")
        await asyncio.sleep(0.001)
    pages = [await at.listed(limit=2)]
    while "cursor" in pages[-1]:
        pages.append(await at.listed(limit=2, cursor=pages[-1]["cursor"]))
    assert [[s["threadId"] for s in page["sessions"]] for page in pages] == [["t4", "t3"], ["t2", "t1"], ["t0"]]
    assert [page["count"] for page in pages] == [2, 2, 1]


async def test_a_page_has_50_threads_unless_asked_otherwise_and_1000_at_most():
    at = Setting()
    for number in range(MAX_LISTED_THREADS + 1):
        await at.saved(f"t{number}")
    assert (await at.listed())["count"] == DEFAULT_LISTED_THREADS == 50
    assert (await at.listed(limit=MAX_LISTED_THREADS))["count"] == MAX_LISTED_THREADS
    assert (await at.listed(limit=1))["count"] == 1
    assert (await at.listed(cursor=""))["count"] == 50


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "+1", "1.0", "1_0", "\u0661", "", " 1", "9" * 5000, "ten"])
async def test_a_limit_that_is_none_is_refused(limit: str):
    reply = await Setting().listed(limit=limit[:3500])
    assert (reply["status"], reply["code"]) == (400, "invalid_parameter")


async def test_a_list_can_be_filtered_by_metadata():
    at = Setting()
    await at.saved("a", project="x", **{"is done": True})
    await at.saved("b", project="x", **{"is done": False})
    await at.saved("c")
    names = [s["threadId"] for s in (await at.listed(**{"metadata.project": "x"}))["sessions"]]
    assert names == ["a", "b"]
    done = await at.listed(**{"metadata.project": "x", "metadata.is done": "true"})
    assert [s["threadId"] for s in done["sessions"]] == ["a"]


@pytest.mark.parametrize("query", ["", "resourceId=", "resource=a"])
async def test_a_list_needs_a_resource(query: str):
    reply = await make_client().call("GET", f"/api/sessions?{query}")
    assert (reply.status, reply.json()["code"]) == (400, "invalid_parameter")


async def test_a_cursor_of_another_resource_is_an_invalid_cursor():
    at = Setting()
    await at.saved("a", "bob")
    await at.saved("b", "bob")
    cursor = (await at.listed("bob", limit=1))["cursor"]
    reply = await at.listed(ADA, cursor=cursor)
    assert (reply["status"], reply["code"]) == (400, "invalid_cursor")


BAD_IDS = ["", " ", " a", "a\n", "a\0", "x" * 129, "\u4e2d" * 23]


@pytest.mark.parametrize("id", BAD_IDS)
async def test_ids_outside_their_grammar_are_refused(id: str):
    at = Setting()
    # An empty parameter is a missing one.
    listed = await at.listed(id) if id else {"status": 400, "code": "invalid_id"}
    replies = [listed, await at.delete(id), await at.delete(resource_id=id), await at.describe(id)]
    assert [(reply["status"], reply["code"]) for reply in replies] == [(400, "invalid_id")] * 4
    assert at.kv.asked == []
