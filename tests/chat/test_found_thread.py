"""A thread is looked for together with its conversation, and what is read is its own."""

import pytest

from simulation.client import KEY, make_client
from tests.support.chats import ADA, THREAD, Chats
from waypost_worker.polling.plans import FREE

NEW_KEY = b"another key for tests, 32 bytes or more"
PATH = f"/api/chat/{THREAD}?resourceId={ADA}"


def operations(at: Chats) -> list[str]:
    """What was asked of threads and conversations since the last call, in its order."""
    asked = [f"{operation} {key.partition(':')[0]}" for operation, key in at.kv.asked]
    at.kv.asked.clear()
    return asked


async def test_a_thread_that_began_under_another_signing_key_keeps_its_conversation():
    at = Chats()
    await at.turn()
    at.settings = at.settings.__class__(signing_keys=(NEW_KEY, KEY))
    after = make_client(at.settings, at.kv, seed=5, model=at.model)
    shown = (await after.call("GET", PATH)).json()["messages"]
    assert [message["role"] for message in shown] == ["user", "assistant"]
    await at.turn("And?", at=after)
    assert await at.history() == ["user: Hi", "assistant: Hello Ada.", "user: And?", "assistant: Hello Ada."]
    assert [item.content for item in at.model.asked[-1]] == ["Hi", "Hello Ada.", "And?"]


async def test_an_isolate_that_remembers_such_a_thread_reads_nothing_twice():
    at = Chats()
    await at.turn()
    after = make_client(at.settings.__class__(signing_keys=(NEW_KEY, KEY)), at.kv, seed=5, model=at.model)
    await at.turn("And?", at=after)
    operations(at)
    await after.call("GET", PATH)
    assert sorted(operations(at)) == ["get_many conv", "list conv", "list thread"]


@pytest.mark.parametrize("path", [PATH, f"/api/chat/{THREAD}/stream?resourceId={ADA}"])
async def test_on_the_free_plan_a_thread_that_does_not_exist_costs_one_list(path: str):
    at = Chats(plan=FREE)
    await at.here.call("GET", path)
    assert operations(at) == ["list thread"]


@pytest.mark.parametrize("plan", ["free", "paid"])
async def test_a_thread_that_is_read_costs_three_operations_on_each_plan(plan: str):
    at = Chats(**({"plan": FREE} if plan == "free" else {}))
    await at.turn()
    operations(at)
    await at.elsewhere.call("GET", PATH)
    assert sorted(operations(at)) == ["get_many conv", "list conv", "list thread"]


async def test_a_thread_that_was_deleted_here_begins_with_an_empty_conversation():
    at = Chats()
    await at.turn()
    reply = await at.here.call("DELETE", "/api/sessions", {"threadId": THREAD, "resourceId": ADA})
    assert reply.json()["success"]
    await at.turn("Again?")
    assert await at.history() == ["user: Again?", "assistant: Hello Ada."]
