"""Images in questions: they reach the model, stand in the history, and share the fate of their message."""

import asyncio
from typing import Any

import pytest

from tests.support.chats import ADA, THREAD, Chats, told
from tests.support.images import file_part, image_part, image_url
from waypost_worker.chat.live_answer import LiveAnswer, LiveAnswers
from waypost_worker.conversations.images import MISSING, OLDER
from waypost_worker.errors import Busy
from waypost_worker.limits import GIVER_SILENCE_SECONDS, MAX_IMAGE_BYTES, MAX_LIVE_IMAGES_BYTES, MIN_APART_BYTES
from waypost_worker.models.settings import ModelSettings

LARGE = MIN_APART_BYTES
LOOK = {"type": "text", "text": "Look."}


def asked(at: Chats) -> list[Any]:
    """The contents of the messages with which the model was asked last."""
    return [item.content for item in at.model.asked[-1]]


async def ui(at: Chats, *parts: Any, id: str = "m1", thread_id: str = THREAD, **body: Any) -> None:
    messages = [{"id": id, "role": "user", "parts": list(parts)}]
    sent = {"id": thread_id, "resourceId": ADA, "messages": messages, "trigger": "submit-message", **body}
    reply = await at.here.call("POST", "/api/chat", sent)
    assert reply.status == 200, reply.body


async def shown(at: Chats, thread_id: str = THREAD) -> Any:
    reply = await at.elsewhere.call("GET", f"/api/chat/{thread_id}?resourceId={ADA}")
    return [message["parts"] for message in reply.json()["messages"] if message["role"] == "user"]


async def kept(at: Chats, thread_id: str = THREAD, query: str = "") -> Any:
    return await at.elsewhere.call("GET", f"/api/conversations/{at.threads.session_id_for(ADA, thread_id)}{query}")


@pytest.mark.parametrize("size", [100, LARGE, MAX_IMAGE_BYTES], ids=["small", "apart", "largest"])
async def test_an_image_reaches_the_model_with_its_question_and_with_the_next(size: int):
    at = Chats()
    await ui(at, LOOK, file_part(size))
    assert asked(at) == [[LOOK, image_part(size)]]
    await ui(at, {"type": "text", "text": "And?"}, id="m2")
    assert asked(at) == [[LOOK, image_part(size)], "Hello Ada.", "And?"]
    file = {"type": "file", "mediaType": "image/png", "url": image_url(size)}
    assert (await shown(at))[0] == [{**LOOK, "state": "done"}, file]
    assert (await kept(at)).json()["messages"][0]["content"] == [LOOK, image_part(size)]


async def test_an_image_may_come_alone():
    at = Chats()
    await ui(at, file_part(LARGE))
    assert asked(at) == [[image_part(LARGE)]]


async def test_a_question_in_the_own_format_may_have_images():
    at = Chats()
    part = {"type": "image_url", "image_url": {"url": image_url(LARGE), "detail": "low"}}
    await at.turn([LOOK, part])  # type: ignore[arg-type]
    assert asked(at) == [[LOOK, part]]
    assert told((await at.items())[1]) == "assistant: Hello Ada."


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ([], "invalid_body"),
        ([{"type": "text", "text": " "}, image_part(LARGE)], "invalid_body"),
        ([{"type": "text", "text": 7}], "invalid_body"),
        ([{"type": "text", "text": "a", "more": 1}], "unknown_field"),
        ([{"type": "image_url", "image_url": image_url(100)}], "invalid_body"),
        ([{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}], "unsupported_part"),
        ([{"type": "image_url", "image_url": {"url": image_url(100) + "é"}}], "unsupported_part"),
        ([{"type": "image_url", "image_url": {"url": image_url(100) + "!"}}], "unsupported_part"),
        ([{"type": "image_url", "image_url": {"url": image_url(100) + "==="}}], "unsupported_part"),
        ([{"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}], "unsupported_part"),
        ([{"type": "image_url", "image_url": {"url": "data:text/html;base64,AAAA"}}], "unsupported_part"),
        ([{"type": "image_url", "image_url": {"url": 7}}], "unsupported_part"),
        ([{"type": "image_url", "image_url": {"url": image_url(100), "detail": "more"}}], "invalid_body"),
        ([{"type": "audio"}], "unsupported_part"),
        ([7], "invalid_body"),
    ],
)
async def test_other_parts_are_refused(message: Any, code: str):
    assert (await Chats().refused(message))["code"] == code


async def test_images_that_are_too_large_are_refused_with_the_limit():
    problem = await Chats().refused([LOOK, image_part(MAX_IMAGE_BYTES), image_part(LARGE)])  # type: ignore[arg-type]
    assert (problem["status"], problem["code"]) == (413, "body_too_large")
    assert str(MAX_IMAGE_BYTES) in problem["detail"]


async def test_slashes_and_pluses_that_are_escaped_are_those_of_an_image():
    at = Chats()
    body = (
        b'{"message":[{"type":"image_url","image_url":{"url":"data:image\\/png;base64,A\\/\\u002bA"}}],"threadId":"t"}'
    )
    reply = await at.here.call("POST", "/api/chat", body=body)
    assert reply.status == 200
    assert asked(at) == [[{"type": "image_url", "image_url": {"url": "data:image/png;base64,A/+A"}}]]


async def test_the_prompt_has_the_newest_images_and_counts_none_as_text():
    at = Chats(model=ModelSettings(prompt_budget=20_000))
    half = MAX_IMAGE_BYTES // 2
    for number in range(3):
        await ui(at, {"type": "text", "text": f"{number}"}, file_part(half, "ABC"[number]), id=f"m{number}")
    parts = [content[1] for content in asked(at) if isinstance(content, list)]
    assert parts == [{"type": "text", "text": OLDER}, image_part(half, "B"), image_part(half, "C")]
    assert [part[1].get("text") for part in await shown(at)] == [OLDER, None, None]


async def test_asking_again_replaces_the_image():
    at = Chats()
    await ui(at, LOOK, file_part(LARGE, "A"))
    await ui(at, LOOK, file_part(LARGE, "B"), messageId="m1")
    assert asked(at) == [[LOOK, image_part(LARGE, "B")]]
    assert [parts[1]["url"] for parts in await shown(at)] == [image_url(LARGE, "B")]


async def test_a_question_with_an_image_that_is_sent_again_is_one_question():
    at = Chats()
    await ui(at, LOOK, file_part(LARGE))
    await ui(at, LOOK, file_part(LARGE))
    assert len(at.model.asked) == 1


async def test_a_client_that_lost_the_answer_to_an_image_goes_on_with_it():
    at = Chats(["One ", 5, "two."])
    message: Any = [LOOK, image_part(LARGE)]
    stream = await at.ask(message)
    again = await at.ask(message, last_event_id=stream.events[1].id, at=at.elsewhere)
    await again.until_over()
    assert len(at.model.asked) == 1


async def test_a_failed_question_leaves_the_images_before_it():
    at = Chats(["Hello", " Ada."], [Exception("no")], ["Hello", " Ada."])
    await ui(at, LOOK, file_part(LARGE))
    await ui(at, LOOK, file_part(LARGE, "B"), messageId="m1")
    assert [parts[1]["url"] for parts in await shown(at)] == [image_url(LARGE)]


async def test_a_fork_has_images_of_its_own():
    at = Chats()
    await ui(at, LOOK, file_part(LARGE))
    fork = {"forkFromThreadId": THREAD, "threadId": "f", "resourceId": ADA}
    assert (await at.here.call("POST", "/api/chat/fork", fork)).status == 201
    gone = {"threadId": THREAD, "resourceId": ADA}
    assert (await at.here.call("DELETE", "/api/sessions", gone)).status == 200
    assert [parts[1]["url"] for parts in await shown(at, "f")] == [image_url(LARGE)]
    assert len(await at.keys("img:")) == 1


async def test_an_export_with_images_is_imported_again_without_loss():
    at = Chats()
    await ui(at, LOOK, file_part(MAX_IMAGE_BYTES // 2))
    await ui(at, LOOK, file_part(MAX_IMAGE_BYTES // 2, "B"), id="m2")
    exported = await kept(at)
    path = "/api/conversations/copy"
    imported = await at.here.call("PUT", path, {**exported.json(), "sessionId": "copy"})
    assert imported.json()["messages"] == exported.json()["messages"]
    assert (await at.elsewhere.call("GET", path)).json()["messages"] == exported.json()["messages"]
    lines = await kept(at, query="?format=jsonl")
    reply = await at.here.call("PUT", path, body=lines.body, headers={"Content-Type": "application/x-ndjson"})
    assert reply.json()["messages"] == exported.json()["messages"]


async def test_an_export_of_a_resource_has_the_images():
    at = Chats()
    await ui(at, LOOK, file_part(LARGE))
    reply = await at.elsewhere.call("GET", f"/api/resources/{ADA}/export")
    assert image_url(LARGE).encode() in reply.body


async def test_images_that_can_not_be_read_fail_the_question_and_take_it_back():
    at = Chats()
    await ui(at, LOOK, file_part(LARGE))
    at.kv.fails = lambda operation, key: operation == "get_many" and key.startswith("img:")
    problem = await at.failed("And?")
    assert problem["code"] == "model_failed"
    assert "images" in problem["message"]
    at.kv.fails = lambda operation, key: False
    assert await at.history() == await at.history()
    assert len(at.model.asked) == 1


async def test_an_image_that_is_gone_is_a_note_for_the_model():
    at = Chats()
    await ui(at, LOOK, file_part(LARGE))
    [key] = await at.keys("img:")
    await at.store.delete(key)
    await ui(at, {"type": "text", "text": "And?"}, id="m2")
    assert asked(at)[0] == [LOOK, {"type": "text", "text": MISSING}]


async def test_questions_with_too_many_images_together_wait_for_each_other():
    at = Chats(["One ", 5, "two."])
    count = MAX_LIVE_IMAGES_BYTES // MAX_IMAGE_BYTES
    asking = [
        asyncio.ensure_future(ui(at, LOOK, file_part(MAX_IMAGE_BYTES), thread_id=f"t{number}"))
        for number in range(count)
    ]
    await asyncio.sleep(1)
    body = {"message": [image_part(LARGE)], "threadId": "more", "resourceId": ADA}
    refused = await at.here.call("POST", "/api/chat", body)
    assert (refused.status, refused.json()["code"]) == (503, "busy")
    assert await at.history("more") == []
    assert (await at.here.call("POST", "/api/chat", {**body, "message": "No image"})).status == 200
    await asyncio.gather(*asking)
    assert (await at.here.call("POST", "/api/chat", body)).status == 200


def test_answers_that_were_lost_hold_no_images():
    answers = LiveAnswers()
    lost, new = LiveAnswer("a", "q", 0), LiveAnswer("b", "q", GIVER_SILENCE_SECONDS * 1000)
    answers.add("r", "t1", lost)
    answers.hold(lost, MAX_LIVE_IMAGES_BYTES)
    answers.add("r", "t2", new)
    answers.hold(new, 1)
    assert answers.image_bytes == 1
    with pytest.raises(Busy):
        answers.hold(new, MAX_LIVE_IMAGES_BYTES)
    answers.remove("r", "t2", new)
    # It has been removed, and what it holds is not counted.
    answers.hold(new, 1)
    assert answers.image_bytes == 0


async def test_a_question_may_have_several_images_small_and_large():
    at = Chats()
    await ui(at, LOOK, file_part(LARGE), file_part(100))
    assert asked(at) == [[LOOK, image_part(LARGE), image_part(100)]]
    assert (await kept(at)).json()["messages"][0]["content"] == asked(at)[0]


@pytest.mark.parametrize("role", ["user", "tool"])
async def test_nobody_can_send_a_reference_to_a_stored_image(role: str):
    at = Chats()
    await ui(at, LOOK, file_part(LARGE))
    reference = (await at.items())[0].content[1]
    message = {"role": role, "content": [reference], **({"toolCallId": "c"} if role == "tool" else {})}
    refused = await at.here.call("POST", "/api/conversations/other/messages", {"messages": [message]})
    assert (refused.status, refused.json()["code"]) == (400, "unsupported_part")
    assert (await at.refused([reference]))["code"] == "unsupported_part"  # type: ignore[arg-type]
