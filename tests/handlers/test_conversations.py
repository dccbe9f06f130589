"""`GET` and `DELETE /api/conversations/{sessionId}`, and `POST …/messages`."""

import asyncio
from typing import Any

import pytest

from simulation.client import Reply, make_client
from simulation.seeded_random import SeededRandom
from simulation.virtual_time import run
from tests.support.namespace import Isolates
from waypost_worker.chat.chunks import Chunk, ChunkStore
from waypost_worker.chat.live_answer import Outcome
from waypost_worker.conversations.conversation import Conversation, compaction_checks
from waypost_worker.conversations.message import ChatMessage, ForkOrigin
from waypost_worker.kv.cursor import CursorFactory
from waypost_worker.limits import (
    MAX_APPENDED_MESSAGES,
    MAX_JOURNAL_LENGTH,
    MAX_MESSAGE_ID_LENGTH,
    MAX_TOOL_NAME_LENGTH,
)

START = "2026-01-01T00:00:00.000Z"
PATH = "/api/conversations/s"


class Setting(Isolates):
    """A client, and the namespace behind it."""

    async def add(self, *messages: dict[str, Any]) -> Reply:
        return await self.client.call("POST", f"{PATH}/messages", {"messages": messages})

    async def read(self) -> Any:
        reply = await self.client.call("GET", PATH)
        assert reply.status == 200, reply.body
        return reply.json()

    def conversation(self) -> Conversation:
        """For what others than the routes write."""
        cursors = CursorFactory(self.clock, SeededRandom(9))
        return Conversation(self.kv, self.clock, cursors, compaction_checks(), "s", 3600, 10, print)


def user(content: Any = "hello", **fields: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, **fields}


def shown(id: str, content: Any = "hello", **fields: Any) -> dict[str, Any]:
    return {"id": id, "role": "user", "content": content, "timestamp": START, **fields}


CALL = {"id": "c", "role": "assistant", "content": "", "toolCalls": [{"id": "t", "name": "n", "args": {"a": 1.0}}]}
RESULT = {"id": "r", "role": "tool", "content": [None, {"n": 2**70}], "toolCallId": "t"}


async def test_messages_that_were_added_are_read_in_their_order_with_the_servers_time():
    at = Setting()
    reply = await at.add(user({"a": 1.0}, id="a"), user("", id="b"))
    assert (reply.status, reply.json()) == (201, {"sessionId": "s", "ids": ["a", "b"]})
    await asyncio.sleep(1.5)
    await at.add(CALL, RESULT)
    later = {"timestamp": "2026-01-01T00:00:01.500Z"}
    assert await at.read() == {
        "sessionId": "s",
        "messages": [shown("a", {"a": 1.0}), shown("b", ""), CALL | later, RESULT | later],
        "truncated": False,
    }


async def test_messages_without_an_id_get_one_each():
    at = Setting()
    ids = (await at.add(user(), user(), user(id="mine"))).json()["ids"]
    assert len(set(ids)) == 3
    assert ids[2] == "mine"
    assert [message["id"] for message in (await at.read())["messages"]] == ids


async def test_adding_a_message_again_adds_it_once():
    at = Setting()
    for _ in range(2):
        reply = await at.add(user("first", id="a"))
        assert (reply.status, reply.json()["ids"]) == (201, ["a"])
    await at.add(user("other", id="b"), user("second", id="a"))
    assert (await at.read())["messages"] == [shown("a", "first"), shown("b", "other")]


async def test_the_last_messages_are_kept_and_never_a_result_without_its_call():
    at = Setting(history_limit=3)
    await at.add(CALL, RESULT, user(id="a"), user(id="b"))
    assert [message["id"] for message in (await at.read())["messages"]] == ["a", "b"]


async def test_a_conversation_that_nobody_began_has_no_messages():
    assert await Setting().read() == {"sessionId": "s", "messages": [], "truncated": False}


async def test_conversations_do_not_see_each_other():
    at = Setting()
    await at.add(user())
    other = await at.client.call("GET", "/api/conversations/s2")
    assert other.json()["messages"] == []


async def test_a_fork_says_where_it_is_from():
    at = Setting()
    await at.conversation().replace([ChatMessage("a", "user", "hello", 0)], ForkOrigin("parent", "m"))
    assert (await at.read())["forkedFrom"] == {"threadId": "parent", "messageId": "m"}


async def test_an_answer_that_is_being_given_is_shown_as_far_as_it_is():
    at = Setting()
    answer = ChatMessage("g", "assistant", "", 0, partial=True, is_open=True)
    await at.conversation().append([ChatMessage("q", "user", "hello", 0), answer])
    pieces = ChunkStore(at.kv, "g")
    await pieces.write(0, Chunk(0, "so "))
    await pieces.write(1, Chunk(0, "far", Outcome("stopped")))
    [_, message] = (await at.read())["messages"]
    assert (message["content"], message["partial"]) == ("so far", True)


async def test_reading_takes_two_operations_and_adding_one_and_now_and_then_a_look():
    at = Setting()
    await at.add(user())
    await at.client.settle()
    at.operations()
    await at.add(user())
    assert at.operations() == ["put"]
    await at.read()
    assert at.operations() == ["list", "get_many"]


@pytest.mark.parametrize(
    ("format", "media_type", "disposition", "body"),
    [
        ("json", "application/json", None, b'{"sessionId":"s","messages":[{"id":"a",'),
        ("jsonl", "application/x-ndjson", 'attachment; filename="conversation.jsonl"', b'{"id":"a","role":"user",'),
        (
            "markdown",
            "text/markdown; charset=utf-8",
            'attachment; filename="conversation.md"',
            b"# Conversation\n\n## User",
        ),
    ],
)
async def test_a_conversation_can_be_taken_along(format: str, media_type: str, disposition: str | None, body: bytes):
    at = Setting()
    await at.add(user(id="a"))
    reply = await at.client.call("GET", f"{PATH}?format={format}")
    assert reply.status == 200
    assert reply.headers["Content-Type"] == media_type
    assert reply.headers.get("Content-Disposition") == disposition
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.body.startswith(body)


async def test_another_format_is_refused():
    reply = await make_client().call("GET", f"{PATH}?format=xml")
    assert (reply.status, reply.json()["code"]) == (400, "invalid_parameter")


async def test_what_is_deleted_is_gone():
    at = Setting()
    await at.add(user(id="a"))
    for _ in range(2):
        reply = await at.client.call("DELETE", PATH)
        assert (reply.status, reply.body) == (204, b"")
        assert (await at.read())["messages"] == []
    await at.add(user("again", id="a"))
    assert [message["content"] for message in (await at.read())["messages"]] == ["again"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
@pytest.mark.parametrize("session_id", ["a:b", "%20", "x" * 65, "ä"])
async def test_an_id_outside_its_grammar_comes_nowhere_near_a_key(method: str, session_id: str):
    at = Setting()
    url = f"/api/conversations/{session_id}" + ("/messages" if method == "POST" else "")
    body = {"GET": None, "DELETE": None}.get(method, {"messages": [user()]})
    reply = await at.client.call(method, url, body)
    assert (reply.status, reply.json()["code"]) == (400, "invalid_id")
    assert at.operations() == []


REFUSED: dict[str, tuple[Any, str]] = {
    "no body": ({}, "invalid_body"),
    "no messages": ({"messages": []}, "invalid_body"),
    "too many messages": ({"messages": [user()] * (MAX_APPENDED_MESSAGES + 1)}, "invalid_body"),
    "an unknown field": ({"messages": [user()], "ttl": 1}, "unknown_field"),
    "an unknown field of a message": ({"messages": [user(name="x")]}, "unknown_field"),
    "a time of its own": ({"messages": [user(timestamp=START)]}, "unknown_field"),
    "partial": ({"messages": [user(partial=True)]}, "unknown_field"),
    "no role": ({"messages": [{"content": "x"}]}, "invalid_body"),
    "an unknown role": ({"messages": [{"role": "bot", "content": "x"}]}, "invalid_body"),
    "no content": ({"messages": [{"role": "user"}]}, "invalid_body"),
    "null as content": ({"messages": [user(None)]}, "invalid_body"),
    "an empty id": ({"messages": [user(id="")]}, "invalid_id"),
    "an id with a line break": ({"messages": [user(id="a\nb")]}, "invalid_id"),
    "a long id": ({"messages": [user(id="x" * (MAX_MESSAGE_ID_LENGTH + 1))]}, "invalid_id"),
    "an id twice": ({"messages": [user(id="a"), user(id="b"), user(id="a")]}, "invalid_body"),
    "a user who calls": ({"messages": [user(toolCalls=CALL["toolCalls"])]}, "invalid_body"),
    "a system that calls": ({"messages": [CALL | {"role": "system"}]}, "invalid_body"),
    "a tool that calls": ({"messages": [RESULT | {"toolCalls": CALL["toolCalls"]}]}, "invalid_body"),
    "a result of no call": ({"messages": [{"role": "tool", "content": 1}]}, "invalid_body"),
    "a user's result": ({"messages": [user(toolCallId="t")]}, "invalid_body"),
    "an assistant's result": ({"messages": [CALL | {"toolCallId": "t"}]}, "invalid_body"),
    "an empty toolCallId": ({"messages": [RESULT | {"toolCallId": ""}]}, "invalid_body"),
    "a call without an id": ({"messages": [CALL | {"toolCalls": [{"name": "n"}]}]}, "invalid_body"),
    "a call with an empty id": ({"messages": [CALL | {"toolCalls": [{"id": ""}]}]}, "invalid_body"),
    "an unknown field of a call": ({"messages": [CALL | {"toolCalls": [{"id": "t", "type": "x"}]}]}, "unknown_field"),
    "a call with a long name": (
        {"messages": [CALL | {"toolCalls": [{"id": "t", "name": "n" * (MAX_TOOL_NAME_LENGTH + 1)}]}]},
        "invalid_body",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_refused_is_not_kept(name: str):
    at = Setting()
    body, code = REFUSED[name]
    reply = await at.client.call("POST", f"{PATH}/messages", body)
    assert (reply.status, reply.json()["code"]) == (400, code)
    assert at.operations() == []


@pytest.mark.parametrize(
    "messages",
    [
        [user(id=f"{number}") for number in range(MAX_APPENDED_MESSAGES)],
        [user(id="x" * MAX_MESSAGE_ID_LENGTH)],
        [user(id="ä 😀:%")],
        [user(toolCalls=[]), {"role": "system", "content": 0}, {"role": "assistant", "content": False}],
        [CALL | {"toolCalls": [{"id": "t", "name": "n" * MAX_TOOL_NAME_LENGTH}, {"id": "t"}]}],
        [user(id=None, toolCallId=None)],
    ],
)
def test_what_is_just_within_the_limits_is_taken(messages: list[dict[str, Any]]):
    assert run(Setting().add(*messages)).status == 201


async def test_messages_that_the_store_refused_are_not_said_to_be_kept():
    at = Setting(fails=lambda operation, key: operation == "put")
    reply = await at.add(user())
    assert (reply.status, reply.json()["code"], reply.headers["Retry-After"]) == (503, "storage_unavailable", "2")


async def test_messages_that_are_kept_are_said_to_be_whether_they_can_be_compacted_or_not():
    at = Setting(fails=lambda operation, key: operation == "put" and key == "conv:s")
    for _ in range(2 * MAX_JOURNAL_LENGTH):
        assert (await at.add(user())).status == 201
    await at.client.settle()
    assert "a conversation was not compacted: storage_unavailable" in " ".join(at.client.log)


async def test_a_long_journal_is_compacted():
    at = Setting()
    for _ in range(2 * MAX_JOURNAL_LENGTH):
        await at.add(user())
    await at.client.settle()
    assert ("put", "conv:s") in at.kv.asked
