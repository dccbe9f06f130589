"""`DELETE /api/sessions` and `POST /api/sessions/metadata`: threads are deleted and described."""

import asyncio
from typing import Any

import pytest

from simulation.client import make_client
from tests.support.thread_routes import ADA, START, Setting
from waypost_worker.kv.keys import thread_key
from waypost_worker.limits import MAX_METADATA_BYTES


async def test_deleting_a_thread_forgets_what_was_said_in_it_and_takes_it_off_the_list():
    at = Setting()
    thread = await at.saved()
    await at.say(thread, "a secret")
    deleted = await at.delete()
    assert (deleted["status"], deleted["success"], deleted["threadId"], deleted["resourceId"]) == (200, True, "t", ADA)
    assert deleted["visibleUntil"].startswith("2026-01-01T00:02:15")
    assert await at.said(thread) == []
    assert (await at.listed())["count"] == 0
    # A new thread of this name begins afresh.
    again = await at.saved()
    assert again.session_id == thread.session_id
    assert await at.said(again) == []


async def test_deleting_what_is_not_there_is_no_success_and_no_error():
    at = Setting()
    assert await at.delete() == {
        "status": 200,
        "success": False,
        "threadId": "t",
        "resourceId": ADA,
        "visibleUntil": "2026-01-01T00:02:15.000Z",
    }
    await at.saved()
    assert (await at.delete())["success"]
    assert not (await at.delete())["success"]


async def test_deleting_one_thread_leaves_others_and_its_forks_alone():
    at = Setting()
    parent = await at.saved()
    fork = await at.threads.fork(parent, "fork", "m1")
    await at.threads.save(fork)
    other = await at.saved("t", "bob")
    for thread in (parent, fork, other):
        await at.say(thread, "hello")
    await at.delete()
    [shown] = (await at.listed())["sessions"]
    assert shown["forkedFrom"] == {"threadId": "t", "messageId": "m1"}
    assert await at.said(fork) == await at.said(other) == ["hello"]
    assert (await at.listed("bob"))["count"] == 1


async def test_a_thread_whose_history_can_not_be_deleted_stays():
    at = Setting()
    thread = await at.saved()
    at.kv.fails = lambda operation, key: operation == "put" and key.startswith("conv:")
    assert (await at.delete())["code"] == "storage_unavailable"
    at.kv.fails = lambda *_: False
    assert (await at.listed())["sessions"][0]["sessionId"] == thread.session_id


async def test_a_thread_that_could_not_be_deleted_whole_can_be_deleted_again():
    at = Setting()
    thread = await at.saved()
    await at.say(thread, "a secret")
    at.kv.fails = lambda operation, key: operation == "delete" and key.startswith("thread:")
    assert (await at.delete())["code"] == "storage_unavailable"
    assert await at.said(thread) == []
    at.kv.fails = lambda *_: False
    assert (await at.delete())["success"]


async def test_a_thread_is_shown_as_it_is():
    at = Setting()
    thread = await at.saved(title="Holidays")
    await asyncio.sleep(1)
    for fields in ({}, {"metadata": None}):
        assert await at.describe(**fields) == {
            "status": 200,
            "session": {
                "threadId": "t",
                "resourceId": ADA,
                "sessionId": thread.session_id,
                "createdAt": START,
                "updatedAt": START,
                "metadata": {"title": "Holidays"},
            },
        }
    assert [operation for operation, _ in at.kv.asked] == ["list", "list"]


async def test_metadata_is_replaced_whole_and_does_not_count_as_use():
    at = Setting()
    await at.saved(title="Holidays", old=1)
    await asyncio.sleep(1)
    described = (await at.describe(metadata={"title": "Work", "n": [1.0, None]}))["session"]
    assert described["metadata"] == {"title": "Work", "n": [1.0, None]}
    assert described["updatedAt"] == described["createdAt"] == START
    assert (await at.describe())["session"] == described
    assert "metadata" not in (await at.describe(metadata={}))["session"]


async def test_metadata_of_a_thread_that_is_not_there_is_404():
    reply = await Setting().describe(metadata={})
    assert (reply["status"], reply["code"]) == (404, "thread_not_found")


@pytest.mark.parametrize(
    "metadata",
    [{"a": "x" * MAX_METADATA_BYTES}, {"": 1}, {"n" * 65: 1}, {"a": '"' * 250}, [], "a", 1],
    ids=["large", "nameless", "long name", "quotes", "list", "text", "number"],
)
async def test_metadata_that_can_not_be_kept_is_refused_and_nothing_is_written(metadata: Any):
    at = Setting()
    await at.saved()
    reply = await at.describe(metadata=metadata)
    assert (reply["status"], reply["code"]) == (400, "invalid_body")
    assert ("put", thread_key(ADA, "t")) not in at.kv.asked


async def test_a_misspelt_field_is_told():
    reply = await Setting().describe(metaData={})
    assert (reply["status"], reply["code"]) == (400, "unknown_field")


async def test_the_path_of_metadata_is_no_session_code():
    reply = await make_client().call("GET", "/api/sessions/metadata")
    assert (reply.status, reply.headers["Allow"]) == (405, "POST")
