"""Forks: a thread that has another one's history, up to a message, and from then on its own."""

import asyncio
from typing import Any

import pytest

from simulation.client import Reply
from simulation.scripted_model import counted
from simulation.virtual_time import START_MS
from tests.support.chats import ADA, THREAD, Chats, text_of
from tests.support.listener import Listener
from waypost_worker.clock import to_iso
from waypost_worker.conversations.thread import Thread
from waypost_worker.documents.document import DocumentId, DocumentStore
from waypost_worker.documents.etag import Conditions
from waypost_worker.errors import ModelFailed
from waypost_worker.models.settings import Agent, ModelSettings

TALK = ["user: First?", "assistant: One.", "user: Second?", "assistant: Two."]


async def talked(*later: Any, **settings: Any) -> Chats:
    """A thread of two questions and their answers."""
    at = Chats(["One."], ["Two."], *later, **settings)
    await at.turn("First?", messageId="m1", metadata={"topic": "a"}, agent="poet")
    await at.turn("Second?", messageId="m2")
    return at


async def fork(at: Chats, **body: Any) -> Reply:
    sent = {"forkFromThreadId": THREAD, "threadId": "fork", "resourceId": ADA, **body}
    return await at.here.call("POST", "/api/chat/fork", sent)


async def found(at: Chats, name: str = "fork") -> Thread | None:
    return await at.threads.find(ADA, name)


async def thread(at: Chats, name: str = "fork") -> Thread:
    there = await found(at, name)
    assert there is not None
    return there


def heard(reply: Reply) -> Listener:
    async def chunks():
        yield reply.body

    return Listener(chunks())


def refused(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json()["code"]


async def test_a_fork_has_the_history_of_its_parent_and_says_where_it_came_from():
    at = await talked()
    reply = await fork(at)
    last, now = (await at.items())[-1].id, to_iso(at.clock.now_ms())
    assert reply.status == 201
    assert reply.json() == {
        "session": {
            "threadId": "fork",
            "resourceId": ADA,
            "sessionId": at.threads.session_id_for(ADA, "fork"),
            "createdAt": now,
            "updatedAt": now,
            "metadata": {"topic": "a"},
            "forkedFrom": {"threadId": THREAD, "messageId": last},
            "agent": "poet",
        },
        "messageCount": 4,
    }
    assert await at.history("fork") == TALK
    assert [item.id for item in await at.items("fork")] == [item.id for item in await at.items()]
    history = await at.conversation("fork").history()
    assert (history.origin.thread_id, history.origin.message_id) == (THREAD, last)


async def test_a_fork_may_begin_at_a_message():
    at = await talked()
    reply = await fork(at, atMessageId="m2")
    assert reply.json()["messageCount"] == 3
    assert reply.json()["session"]["forkedFrom"] == {"threadId": THREAD, "messageId": "m2"}
    assert await at.history("fork") == TALK[:3]


async def test_from_then_on_both_go_their_own_way():
    at = await talked(["Here."], ["There."])
    await fork(at)
    await at.turn("Third?", threadId="fork")
    await at.turn("Other?")
    assert await at.history("fork") == [*TALK, "user: Third?", "assistant: Here."]
    assert await at.history() == [*TALK, "user: Other?", "assistant: There."]
    assert [item.content for item in at.model.asked[2]] == ["First?", "One.", "Second?", "Two.", "Third?"]


async def test_the_parent_is_only_read():
    at = await talked()
    parent, session_id = await thread(at, THREAD), at.threads.session_id_for(ADA, THREAD)
    at.kv.asked.clear()
    await fork(at)
    written = [key for operation, key in at.kv.asked if operation in ("put", "delete")]
    assert len(written) == 2
    assert not [key for key in written if session_id in key]
    assert await thread(at, THREAD) == parent


async def test_a_session_without_a_message_is_refused_since_nothing_would_use_it():
    at = await talked()
    reply = await fork(at, session={"code": "K7Q2M9XA"})
    assert refused(reply) == (400, "invalid_body")
    assert "`message`" in reply.json()["detail"]
    assert await found(at) is None


async def test_a_message_is_asked_on_the_fork():
    at = await talked(["Three."])
    reply = await fork(at, message="Third?", atMessageId="m1")
    stream = heard(reply)
    await stream.until_over()
    assert reply.status == 200
    assert stream.data("start")[0]["forkedFrom"] == {"threadId": THREAD, "messageId": "m1"}
    assert stream.data("start")[0]["threadId"] == "fork"
    assert text_of(stream) == "Three."
    assert [item.content for item in at.model.asked[-1]] == ["First?\n\nThird?"]
    assert await at.history("fork") == ["user: First?", "user: Third?", "assistant: Three."]


async def test_who_comes_back_to_an_answer_on_a_fork_is_told_where_it_was_forked_from():
    at = await talked(counted(3))
    asking = asyncio.ensure_future(fork(at, message="Third?"))
    await asyncio.sleep(1.5)
    url = f"/api/chat/fork/stream?resourceId={ADA}"
    back = heard(await at.elsewhere.call("GET", url))
    asked = heard(await asking)
    await back.until_over()
    await asked.until_over()
    assert back.data("start") == asked.data("start")
    assert back.data("start")[0]["forkedFrom"]["threadId"] == THREAD


async def test_documents_are_copied_and_then_each_has_its_own():
    at = await talked()
    documents = DocumentStore(at.kv.kv, at.clock)
    parent = at.threads.session_id_for(ADA, THREAD)
    await documents.put(DocumentId(parent, "doc", "notes"), '"parent"', Conditions())
    await documents.put(DocumentId(parent, "theme", "theme"), '{"dark":true}', Conditions())
    child = (await fork(at)).json()["session"]["sessionId"]
    assert (await documents.read(DocumentId(child, "theme", "theme"), Conditions())).text == '{"dark":true}'
    await documents.put(DocumentId(child, "doc", "notes"), '"child"', Conditions())
    assert (await documents.read(DocumentId(parent, "doc", "notes"), Conditions())).text == '"parent"'


async def test_metadata_and_agent_of_the_fork_may_be_its_own():
    at = await talked()
    session = (await fork(at, metadata={"topic": "b"}, agent="clerk")).json()["session"]
    assert (session["metadata"], session["agent"]) == ({"topic": "b"}, "clerk")
    assert (await thread(at, THREAD)).metadata == {"topic": "a"}


async def test_deleting_the_parent_leaves_the_fork():
    at = await talked(["Three."])
    await fork(at)
    deleted = await at.here.call("DELETE", "/api/sessions", {"threadId": THREAD, "resourceId": ADA})
    assert deleted.json()["success"] is True
    assert await at.history("fork") == TALK
    await at.turn("Third?", threadId="fork")
    assert await at.history("fork") == [*TALK, "user: Third?", "assistant: Three."]


async def test_a_fork_of_a_fork_remembers_both():
    at = await talked()
    await fork(at)
    await fork(at, forkFromThreadId="fork", threadId="second", atMessageId="m1")
    lineage = await at.threads.lineage_of(await thread(at, "second"))
    assert [(origin.thread_id, origin.message_id) for origin in lineage][0] == ("fork", "m1")
    assert lineage[1].thread_id == THREAD
    assert await at.history("second") == TALK[:1]


async def test_a_thread_without_messages_can_be_forked():
    at = await talked()
    await at.conversation().forget()
    reply = await fork(at)
    assert (reply.status, reply.json()["messageCount"]) == (201, 0)
    assert reply.json()["session"]["forkedFrom"] == {"threadId": THREAD}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"forkFromThreadId": "other"}, 404, "thread_not_found"),
        ({"resourceId": "eve"}, 404, "thread_not_found"),
        ({"atMessageId": "other"}, 404, "message_not_found"),
        ({"threadId": THREAD}, 400, "invalid_body"),
        ({"metadata": {"topic": "x" * 1000}}, 400, "invalid_body"),
        ({"message": " "}, 400, "invalid_body"),
        ({"agent": "cook"}, 400, "unknown_agent"),
        ({"agent": "cook", "message": "Third?"}, 400, "unknown_agent"),
    ],
)
async def test_a_fork_that_can_not_be_is_refused_before_anything_is_stored(
    body: dict[str, Any], status: int, code: str
):
    agents = ModelSettings(agents={"poet": Agent(), "clerk": Agent()})
    at = await talked(model=agents)
    at.kv.asked.clear()
    assert refused(await fork(at, **body)) == (status, code)
    assert [key for operation, key in at.kv.asked if operation == "put"] == []
    assert await found(at) is None


async def test_a_fork_does_not_take_the_place_of_a_thread():
    at = await talked(["Other."])
    await at.turn("Other?", threadId="fork")
    assert refused(await fork(at)) == (409, "thread_exists")
    assert await at.history("fork") == ["user: Other?", "assistant: Other."]


async def test_a_fork_while_an_answer_is_given_has_what_was_said_so_far():
    at = await talked(counted(10))
    stream = await at.ask("Third?")
    await asyncio.sleep(2.5)
    reply = await fork(at)
    assert reply.json()["messageCount"] == 6
    assert await at.history("fork") == [*TALK, "user: Third?", "assistant: 1 2 3  (partial)"]
    await stream.until_over()
    assert (await at.history("fork"))[-1] == "assistant: 1 2 3  (partial)"
    assert (await at.history())[-1] == f"assistant: {text_of(stream)}"


async def test_an_answer_of_which_nothing_was_said_yet_is_not_taken_along():
    at = await talked([5.0, "Three."])
    asking = asyncio.ensure_future(at.turn("Third?", messageId="m3"))
    await asyncio.sleep(1)
    reply = await fork(at)
    assert reply.json()["messageCount"] == 5
    assert reply.json()["session"]["forkedFrom"] == {"threadId": THREAD, "messageId": "m3"}
    assert await at.history("fork") == [*TALK, "user: Third?"]
    await asking


async def test_a_fork_whose_model_fails_is_none_and_can_be_asked_for_again():
    at = await talked([ModelFailed("No.")], ["Three."])
    assert b'"code":"model_failed"' in (await fork(at, message="Third?")).body
    assert await found(at) is None
    assert await at.history("fork") == []
    assert (await fork(at, message="Third?")).status == 200
    assert await at.history("fork") == [*TALK, "user: Third?", "assistant: Three."]


async def test_a_fork_whose_question_the_store_refuses_is_none_and_can_be_asked_for_again():
    at = await talked(["Three."])
    session_id = at.threads.session_id_for(ADA, "fork")
    writes = [0]

    def fails(operation: str, key: str) -> bool:
        # The first write is the history that is taken along, the next five are the question.
        if operation == "put" and key.startswith(f"conv:{session_id}:"):
            writes[0] += 1
            return 1 < writes[0] <= 6
        return False

    at.kv.fails = fails
    assert refused(await fork(at, message="Third?")) == (503, "storage_unavailable")
    assert await found(at) is None
    assert (await fork(at, message="Third?")).status == 200
    assert await at.history("fork") == [*TALK, "user: Third?", "assistant: Three."]


async def test_a_fork_that_the_store_refuses_is_no_thread_yet():
    at = await talked()
    at.kv.fails = lambda operation, key: operation == "put" and at.clock.now_ms() < START_MS + 8_000
    assert refused(await fork(at)) == (503, "storage_unavailable")
    assert await found(at) is None
    at.kv.fails = lambda *_: False
    assert (await fork(at)).status == 201
