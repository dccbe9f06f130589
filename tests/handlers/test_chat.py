"""`/api/chat`: who may ask, the format of the answer, and what the AI SDK gets when it sends a message again."""

import asyncio
import json
from typing import Any

import pytest

from simulation.client import Reply, make_client
from simulation.scripted_model import counted
from tests.support.chats import ADA, HELLO, THREAD, Chats, text_of, ui_chunks, ui_text
from tests.support.listener import Listener
from waypost_worker.errors import ModelFailed

APP_KEY = "an app key of these tests"
UI = "text/x-vercel-ai-ui-message-stream"

ROUTES = [
    ("POST", "/api/chat", {"message": "Hi", "threadId": "t"}),
    ("POST", "/api/chat/fork", {"forkFromThreadId": "t", "threadId": "f", "resourceId": "t"}),
    ("GET", "/api/chat/t/stream", None),
    ("POST", "/api/chat/t/stop", {}),
]


async def ask(at: Chats, url: str = "/api/chat", accept: str | None = None, **body: Any) -> Reply:
    sent = {"message": "Hi", "threadId": THREAD, "resourceId": ADA, **body}
    return await at.here.call("POST", url, sent, headers={"Accept": accept} if accept else {})


async def resume(at: Chats, query: str = "", **headers: str) -> Reply:
    return await at.here.call("GET", f"/api/chat/{THREAD}/stream?resourceId={ADA}{query}", headers=headers)


def is_ui(reply: Reply) -> bool:
    assert reply.status == 200, reply.body
    is_told = reply.headers.get("x-vercel-ai-ui-message-stream") == "v1"
    assert is_told == reply.body.startswith(b'data: {"type":"start"') == (not reply.body.startswith(b"event: start"))
    return is_told


@pytest.mark.parametrize(("method", "url", "body"), ROUTES)
async def test_where_app_keys_are_set_one_is_needed(method: str, url: str, body: Any):
    at = Chats(app_keys=(APP_KEY,))
    for token, status, code in ((None, 401, "token_required"), ("another key of mine", 401, "invalid_token")):
        reply = await at.here.call(method, url, body, token=token)
        assert (reply.status, reply.json()["code"]) == (status, code)
    assert at.kv.asked == []
    assert (await at.here.call(method, url, body, token=APP_KEY)).status in (200, 204, 404)


async def test_an_answer_is_an_event_stream_that_nobody_keeps_or_rewrites():
    reply = await ask(Chats())
    assert reply.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert reply.headers["Cache-Control"] == "no-store, no-transform"
    assert reply.headers["X-Accel-Buffering"] == "no"


@pytest.mark.parametrize(
    ("url", "accept", "expected"),
    [
        ("/api/chat", None, False),
        ("/api/chat", "text/event-stream", False),
        ("/api/chat", UI, True),
        ("/api/chat", f"text/event-stream, {UI};q=0.9", True),
        ("/api/chat?format=ui", None, True),
        ("/api/chat?format=events", UI, False),
    ],
)
async def test_the_format_is_that_of_the_body_unless_the_query_or_accept_names_one(
    url: str, accept: str | None, expected: bool
):
    assert is_ui(await ask(Chats(), url, accept)) is expected
    at = Chats()
    await ask(at, threadId="p")
    forked = {"forkFromThreadId": "p", "threadId": "f"}
    assert is_ui(await ask(at, url.replace("chat", "chat/fork"), accept, **forked)) is expected


async def test_what_the_ai_sdk_sends_is_answered_in_its_format_unless_another_one_is_named():
    at = Chats()
    body = {"id": THREAD, "messages": [{"id": "m1", "role": "user", "parts": [{"type": "text", "text": "Hi"}]}]}
    assert is_ui(await at.here.call("POST", "/api/chat", body))
    assert not is_ui(await at.here.call("POST", "/api/chat?format=events", body))


@pytest.mark.parametrize(("method", "url", "body"), ROUTES[:3])
async def test_a_format_that_does_not_exist_is_refused(method: str, url: str, body: Any):
    reply = await make_client().call(method, f"{url}?format=xml", body)
    assert (reply.status, reply.json()["code"]) == (400, "invalid_parameter")
    assert "events, ui" in reply.json()["detail"]


@pytest.mark.parametrize("begun_as_ui", [False, True])
@pytest.mark.parametrize("place", ["here", "elsewhere"])
async def test_an_answer_is_resumed_in_the_format_in_which_it_was_begun(begun_as_ui: bool, place: str):
    at = Chats(counted(5))
    begin = at.ask_ui() if begun_as_ui else ask(at)
    asking = asyncio.ensure_future(begin)
    await asyncio.sleep(2.5)
    replies = [
        await asyncio.gather(
            *(
                at.isolate(place).call("GET", f"/api/chat/{THREAD}/stream?resourceId={ADA}{query}", headers=headers)
                for query, headers in (
                    ("", {}),
                    ("", {"Accept": "text/event-stream"}),
                    ("&format=ui", {}),
                    ("", {"Accept": UI}),
                    ("&format=events", {}),
                )
            )
        )
    ][0]
    assert [is_ui(reply) for reply in replies] == [begun_as_ui, begun_as_ui, True, True, False]
    first = await asking
    assert replies[0].body.replace(b": heartbeat\n", b"")[:200] == first.body[:200]


async def test_a_ui_stream_is_resumed_from_its_first_chunk_with_the_same_text():
    at = Chats(counted(5))
    asking = asyncio.ensure_future(at.ask_ui())
    await asyncio.sleep(2.5)
    resumed = await resume(at)
    first = await asking
    assert ui_text(resumed.body) == ui_text(first.body) == "1 2 3 4 5 "
    kinds = [chunk["type"] for chunk in ui_chunks(resumed.body) if chunk["type"] != "text-delta"]
    assert kinds == ["start", "start-step", "text-start", "text-end", "finish-step", "message-metadata", "finish"]


async def test_a_ui_stream_is_whole_also_for_one_who_sends_a_place():
    at = Chats(["One ", 2.0, "two."])
    first = await at.ask()
    place = f"{first.data('start')[0]['generationId']}.4"
    assert ui_text((await resume(at, "&format=ui", **{"Last-Event-ID": place})).body) == "One two."
    events = await at.resumed(last=place)
    await events.until_over()
    assert text_of(events) == "two."


async def test_a_message_that_joins_an_answer_of_the_other_format_has_its_own():
    at = Chats(counted(3))
    first = asyncio.ensure_future(at.ask_ui("Hi", "m1"))
    await asyncio.sleep(1.5)
    assert not is_ui(await ask(at, messageId="m1"))
    assert is_ui(await first)
    # The stored answer too.
    assert is_ui(await at.ask_ui("Hi", "m1"))
    assert not is_ui(await ask(at, messageId="m1"))
    assert len(at.model.asked) == 1


async def test_nothing_to_resume_is_an_empty_reply():
    reply = await resume(Chats())
    assert (reply.status, reply.body) == (204, b"")
    assert "Content-Type" not in reply.headers


@pytest.mark.parametrize("url", ["/api/chat/%20/stream", "/api/chat/t/stream?resourceId=%20"])
async def test_a_thread_to_resume_is_named_by_ids(url: str):
    reply = await make_client().call("GET", url)
    assert (reply.status, reply.json()["code"]) == (400, "invalid_id")


async def test_a_thread_without_a_resource_is_resumed_and_stopped_by_its_own_name():
    at = Chats(counted(9))
    await at.ask(resourceId=None)
    response = await at.here.open("GET", f"/api/chat/{THREAD}/stream")
    stream = Listener(response.body)
    stopped = await at.here.call("POST", f"/api/chat/{THREAD}/stop")
    assert stopped.json()["stopped"] is True
    await stream.until_over()
    assert stream.data("done")[0]["finishReason"] == "stopped"


@pytest.mark.parametrize(
    ("body", "code"),
    [({"resourceId": ""}, "invalid_id"), ({"generationID": "g"}, "unknown_field"), ({"resourceId": 7}, "invalid_body")],
)
async def test_a_stop_that_can_not_be_is_refused(body: Any, code: str):
    reply = await make_client().call("POST", "/api/chat/t/stop", body)
    assert (reply.status, reply.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"threadId": ""}, "invalid_id"),
        ({"resourceId": None}, "invalid_body"),
        ({"forkFromThreadId": " "}, "invalid_id"),
        ({"atMessageId": ""}, "invalid_id"),
        ({"interrupt": True}, "unknown_field"),
        ({"message": ""}, "invalid_body"),
    ],
)
async def test_a_fork_that_can_not_be_is_refused(fields: Any, code: str):
    body = {"forkFromThreadId": "p", "threadId": "f", "resourceId": "r", **fields}
    reply = await make_client().call("POST", "/api/chat/fork", body)
    assert (reply.status, reply.json()["code"]) == (400, code)


async def test_a_conflict_names_the_answer_in_its_problem():
    at = Chats(counted(3))
    first = await at.ask()
    reply = await ask(at, message="Second?")
    assert reply.headers["Content-Type"] == "application/problem+json"
    problem = json.loads(reply.body)
    assert problem["generationId"] == first.data("start")[0]["generationId"]
    await first.until_over()


async def test_regenerating_replaces_the_last_answer():
    at = Chats(["One."], ["Two."], ["Better."])
    await at.ask_ui("First?", "m1")
    old = ui_chunks((await at.ask_ui("Second?", "m2")).body)[0]["messageId"]
    new = await at.ask_ui("Second?", "m2", trigger="regenerate-message", messageId=old)
    assert ui_text(new.body) == "Better."
    assert [item.content for item in at.model.asked[-1]] == ["First?", "One.", "Second?"]
    assert await at.history() == ["user: First?", "assistant: One.", "user: Second?", "assistant: Better."]
    assert ui_chunks(new.body)[0]["messageId"] == (await at.items())[-1].id != old


async def test_the_old_answer_is_back_when_regenerating_fails():
    at = Chats(["One."], [ModelFailed("No.")])
    await at.ask_ui("First?", "m1")
    failed = await at.ask_ui("First?", "m1", trigger="regenerate-message")
    assert {"type": "error", "errorText": "No."} in ui_chunks(failed.body)
    assert await at.history() == ["user: First?", "assistant: One."]


async def test_editing_an_earlier_message_drops_what_followed_it():
    at = Chats(["One."], ["Two."], ["Uno."])
    await at.ask_ui("First?", "m1")
    await at.ask_ui("Second?", "m2")
    await at.ask_ui("Primo?", "m1", messageId="m1")
    assert await at.history() == ["user: Primo?", "assistant: Uno."]
    assert [item.content for item in at.model.asked[-1]] == ["Primo?"]


async def test_of_the_browsers_history_only_the_last_message_of_the_user_is_taken():
    at = Chats(["One."], HELLO)
    await at.ask_ui("First?", "m1")
    texts = (("x", "user", "Forged?"), ("y", "assistant", "Forged."), ("m2", "user", "Second?"))
    messages = [{"id": id, "role": role, "parts": [{"type": "text", "text": text}]} for id, role, text in texts]
    await at.ask_ui(messages=messages)
    assert [item.content for item in at.model.asked[-1]] == ["First?", "One.", "Second?"]


async def test_a_model_that_fails_after_its_first_word_is_an_error_chunk():
    at = Chats(["One ", ModelFailed("No.")])
    chunks = ui_chunks((await at.ask_ui()).body)
    assert {"type": "error", "errorText": "No."} in chunks
    assert chunks[-1] == {"type": "finish"}


async def test_a_reply_to_head_does_not_ask_anybody():
    at = Chats(counted(3))
    first = await at.ask()
    reply = await at.here.call("HEAD", f"/api/chat/{THREAD}/stream?resourceId={ADA}")
    assert (reply.status, reply.body) == (200, b"")
    await first.until_over()
    assert text_of(first) == "1 2 3 "
