"""What a chat's routes take and refuse, over HTTP: formats, bodies, methods, forks."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.chat_client import ENDLESS, UI_TYPE, Chat, conversation, first_answer, next_answer
from tests.support.http_api import Api

EVENTS_TYPE = "text/event-stream"

FORMATS = {
    "nothing is said": ("events", None, None),
    "accept is the AI SDK's": ("ui", None, UI_TYPE),
    "accept names it among others": ("ui", None, f"{EVENTS_TYPE}, {UI_TYPE};q=0.5"),
    "the query says ui": ("ui", "ui", None),
    "the query overrules accept": ("events", "events", UI_TYPE),
}

BODY = {"message": "hello", "threadId": "t"}
UI_MESSAGE = {"id": "m", "role": "user", "parts": [{"type": "text", "text": "hello"}]}
NO_TEXT = UI_MESSAGE | {"parts": []}
NO_USER = UI_MESSAGE | {"role": "assistant"}
UI_BODY = {"id": "t", "messages": [UI_MESSAGE], "trigger": "submit-message"}
FORK = {"forkFromThreadId": "a", "threadId": "b", "resourceId": "r"}

BAD_CALLS: dict[str, tuple[str, Any, int, str]] = {
    "no body": ("/api/chat", None, 400, "invalid_json"),
    "no JSON": ("/api/chat", "{", 400, "invalid_json"),
    "no UTF-8": ("/api/chat", b'{"message":"\xff"}', 400, "invalid_encoding"),
    "no object": ("/api/chat", [BODY], 400, "invalid_body"),
    "no thread": ("/api/chat", {"message": "hello"}, 400, "invalid_body"),
    "no message": ("/api/chat", {"threadId": "t"}, 400, "invalid_body"),
    "an empty message": ("/api/chat", BODY | {"message": " \n"}, 400, "invalid_body"),
    "a message that is too long": ("/api/chat", BODY | {"message": "x" * 65537}, 400, "invalid_body"),
    "a body that is too large": ("/api/chat", BODY | {"message": "x" * 1024**2}, 413, "body_too_large"),
    "a message that is no text": ("/api/chat", BODY | {"message": ["hello"]}, 400, "invalid_body"),
    "an unknown field": ("/api/chat", BODY | {"treadId": "t"}, 400, "unknown_field"),
    "an empty thread": ("/api/chat", BODY | {"threadId": ""}, 400, "invalid_id"),
    "a thread that can't be seen": ("/api/chat", BODY | {"threadId": "a\nb"}, 400, "invalid_id"),
    "a thread that is a path": ("/api/chat", BODY | {"threadId": ".."}, 400, "invalid_id"),
    "a resource that is too long": ("/api/chat", BODY | {"resourceId": "r" * 129}, 400, "invalid_id"),
    "a message's id that is too long": ("/api/chat", BODY | {"messageId": "m" * 129}, 400, "invalid_id"),
    "metadata that is no object": ("/api/chat", BODY | {"metadata": [1]}, 400, "invalid_body"),
    "metadata that is too large": ("/api/chat", BODY | {"metadata": {"a": "x" * 600}}, 400, "invalid_body"),
    "an unknown format": ("/api/chat?format=xml", BODY, 400, "invalid_parameter"),
    "the AI SDK's without a message": ("/api/chat", UI_BODY | {"messages": []}, 400, "invalid_body"),
    "the AI SDK's without a user": ("/api/chat", UI_BODY | {"messages": [NO_USER]}, 400, "invalid_body"),
    "the AI SDK's without text": ("/api/chat", UI_BODY | {"messages": [NO_TEXT]}, 400, "invalid_body"),
    "a fork of nothing": ("/api/chat/fork", FORK, 404, "thread_not_found"),
    "a fork of itself": ("/api/chat/fork", FORK | {"threadId": "a"}, 400, "invalid_body"),
    "a fork without a resource": ("/api/chat/fork", {"forkFromThreadId": "a", "threadId": "b"}, 400, "invalid_body"),
    "a stop with an unknown field": ("/api/chat/t/stop", {"id": "t"}, 400, "unknown_field"),
}  # fmt: skip


@pytest.fixture
def chat(api: Api) -> Chat:
    return Chat(api)


@pytest.mark.parametrize("name", FORMATS)
def test_the_query_and_then_accept_choose_the_format(name: str, chat: Chat) -> None:
    wanted, query, accept = FORMATS[name]
    answer = chat.post(
        "/api/chat", {"message": "hi", **chat.name}, accept=accept, **({} if query is None else {"format": query})
    )
    assert answer.heard("You").head()["generationId" if wanted == "events" else "messageId"]
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers.get("x-vercel-ai-ui-message-stream") == ("v1" if wanted == "ui" else None)


def test_the_chunks_for_the_ai_sdk_are_those_of_its_protocol(chat: Chat) -> None:
    answer = chat.ask("hello", accept=UI_TYPE)
    text = answer.whole()
    *chunks, done = answer.events
    data = [chunk.data for chunk in chunks]
    metadata = data[0]["messageMetadata"]
    answer_id = metadata["generationId"]
    assert done.text == "[DONE]"
    assert data[:3] == [
        {"type": "start", "messageId": answer_id, "messageMetadata": metadata},
        {"type": "start-step"},
        {"type": "text-start", "id": answer_id},
    ]
    deltas = [chunk for chunk in data if chunk["type"] == "text-delta"]
    assert data[3:-4] == deltas
    assert all(set(chunk) == {"type", "id", "delta"} and chunk["id"] == answer_id for chunk in deltas)
    assert data[-4:] == [
        {"type": "text-end", "id": answer_id},
        {"type": "finish-step"},
        {"type": "message-metadata", "messageMetadata": {"finishReason": "stop", "partial": False}},
        {"type": "finish"},
    ]
    assert {metadata["threadId"], metadata["resourceId"]} == set(chat.name.values())
    assert conversation(chat.api, metadata["session_id"])[1]["content"] == text


def test_an_answer_that_was_asked_for_in_one_format_is_resumed_in_it(chat: Chat) -> None:
    message = UI_MESSAGE | {"parts": [{"type": "text", "text": ENDLESS}]}
    body = {"id": chat.thread_id, "messages": [message], "trigger": "submit-message"}
    chat.resource_id = chat.thread_id
    asked = chat.post("/api/chat", body)
    assert asked.headers["x-vercel-ai-ui-message-stream"] == "v1"
    resumed = chat.follow(accept="*/*")
    assert resumed.headers["x-vercel-ai-ui-message-stream"] == "v1"
    resumed.heard("word3")
    chat.stop()
    assert resumed.whole() == asked.whole()
    assert first_answer(ENDLESS).startswith(asked.text)


@pytest.mark.parametrize("name", BAD_CALLS)
def test_a_call_that_can_not_be_right_is_refused(name: str, api: Api) -> None:
    path, body, status, code = BAD_CALLS[name]
    content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    reply = api.http.post(path, content=b"" if body is None else content, headers={"Content-Type": "application/json"})
    assert problem(reply) == (status, code)
    assert reply.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_no_json_is_not_read(api: Api) -> None:
    reply = api.http.post("/api/chat", content=b"{}", headers={"Content-Type": "text/plain"})
    assert problem(reply) == (415, "unsupported_media_type")


def test_what_was_refused_begins_no_thread(chat: Chat) -> None:
    assert chat.ask("").problem == (400, "invalid_body")
    assert chat.ask("hello", agent="x" * 1000).status == 400
    assert chat.session() is None


def test_heads_preflights_and_methods_that_are_not_taken(chat: Chat) -> None:
    api = chat.api
    stream = chat.path("stream")
    answer = chat.ask(ENDLESS).heard("word3")
    head = api.http.head(stream, params={"resourceId": chat.resource_id})
    assert (head.status_code, head.content) == (200, b"")
    assert api.http.head(stream).status_code == 204
    assert not answer.is_over
    preflight = api.http.options(
        "/api/chat", headers={"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    )
    assert (preflight.status_code, preflight.content) == (204, b"")
    # No other origin is allowed here.
    assert "access-control-allow-origin" not in preflight.headers
    for method, path, allowed in [
        ("GET", "/api/chat", "POST"),
        ("DELETE", "/api/chat/fork", "POST"),
        ("POST", stream, "GET, HEAD"),
        ("GET", chat.path("stop"), "POST"),
        ("OPTIONS", "/api/chat", "POST"),
    ]:
        reply = api.http.request(method, path)
        assert problem(reply) == (405, "method_not_allowed")
        assert reply.headers["allow"] == allowed
    chat.stop()


@pytest.mark.parametrize("name", ["user:42/chat", "ä ö 東京", "100% + a?b#c", "t" * 128])
def test_a_thread_may_have_any_name_that_can_be_seen(name: str, api: Api) -> None:
    chat = Chat(api, f"{name}{uuid4()}"[-128:], f"{name}"[-128:])
    chat.ask(ENDLESS).heard("word0")
    assert chat.follow().heard("word0").head()["threadId"] == chat.thread_id
    assert chat.stop()["stopped"]
    assert chat.session()["resourceId"] == chat.resource_id


def test_what_is_deleted_while_it_is_being_answered_stays_deleted(chat: Chat) -> None:
    answer = chat.ask(ENDLESS).heard("word3")
    assert chat.api.call("DELETE", "/api/sessions", chat.name).json()["success"]
    answer.wait_over()
    assert answer.end()["finishReason"] == "stopped"
    assert chat.session() is None
    assert conversation(chat.api, answer.head()["session_id"]) == []
    assert chat.ask("hello").whole() == first_answer("hello")


def test_a_fork_goes_on_from_its_parent_and_then_alone(chat: Chat) -> None:
    chat.ask("one", metadata={"title": "T"}).whole()
    fork = Chat(chat.api, resource_id=chat.resource_id)
    body = {"message": "two", "forkFromThreadId": chat.thread_id, **fork.name}
    answer = fork.post("/api/chat/fork", body)
    assert answer.whole() == next_answer("two", "one")
    start, last = answer.head(), chat.history()[-1]["id"]
    assert start["forkedFrom"] == {"threadId": chat.thread_id, "messageId": last}
    assert start["threadId"] == fork.thread_id
    assert answer.end()["messageCount"] == 4
    session = fork.session()
    assert (session["metadata"], session["forkedFrom"]) == ({"title": "T"}, start["forkedFrom"])
    assert session["sessionId"] == start["session_id"] != chat.session()["sessionId"]

    chat.ask("three").whole()
    assert fork.ask("four").whole() == next_answer("four", "one", "two")
    assert [content for role, content in chat.said() if role == "user"] == ["one", "three"]

    assert chat.api.call("DELETE", "/api/sessions", chat.name).json()["success"]
    assert (chat.session(), len(fork.history())) == (None, 6)
    assert fork.ask("five").whole() == next_answer("five", "one", "two", "four")


def test_a_fork_from_a_message_has_what_was_said_until_then(chat: Chat) -> None:
    chat.ask("one").whole()
    chat.ask("two").whole()
    until = chat.history()[1]["id"]
    fork = Chat(chat.api, resource_id=chat.resource_id)
    body = {"forkFromThreadId": chat.thread_id, "atMessageId": until, **fork.name}
    reply = chat.api.call("POST", "/api/chat/fork", body)
    assert (reply.status_code, reply.json()["messageCount"]) == (201, 2)
    assert reply.json()["session"] == fork.session()
    assert fork.said() == chat.said()[:2]
    assert fork.ask("three").whole() == next_answer("three", "one")
    assert problem(chat.api.call("POST", "/api/chat/fork", body)) == (409, "thread_exists")
    other = body | {"threadId": str(uuid4()), "atMessageId": "unknown"}
    assert problem(chat.api.call("POST", "/api/chat/fork", other)) == (404, "message_not_found")


def problem(reply: httpx.Response) -> tuple[int, Any]:
    return reply.status_code, reply.json()["code"]
