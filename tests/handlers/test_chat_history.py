"""The messages of a thread in the form of the AI SDK, for the first render of a page, without a running answer."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest

from simulation.client import Client
from simulation.scripted_model import counted
from tests.support.chats import ADA, THREAD, Chats
from tests.support.images import image_url
from waypost_worker.chat.ui_messages import to_ui_messages
from waypost_worker.conversations.message import ChatMessage, ToolCall
from waypost_worker.limits import MIN_APART_BYTES

PIXEL: Any = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
DAY = 24 * 3600
everywhere = pytest.mark.parametrize("place", ["here", "elsewhere"])


async def history(at: Chats, client: Client | None = None, **query: str) -> Any:
    """The reply's body."""
    url = f"/api/chat/{THREAD}?{urlencode({'resourceId': ADA, **query})}"
    reply = await (client or at.here).call("GET", url)
    assert reply.status == 200, reply.body
    return reply.json()


def shown(body: Any) -> list[tuple[str, str, str]]:
    """Id, role and text of each message."""
    return [
        (message["id"], message["role"], "".join(part["text"] for part in message["parts"]))
        for message in body["messages"]
    ]


async def test_a_thread_that_was_never_used_has_no_messages():
    assert await history(Chats()) == {"messages": [], "running": None, "truncated": False}


async def test_a_thread_is_read_by_the_name_that_its_app_gave_it():
    at = Chats()
    stream = await at.turn("Hi", messageId="m1")
    body = await history(at, format="ui")
    answer_id = stream.data("start")[0]["generationId"]
    assert shown(body) == [("m1", "user", "Hi"), (answer_id, "assistant", "Hello Ada.")]
    assert body["running"] is None
    assert body["messages"][1]["metadata"] == {"createdAt": "2026-01-01T00:00:00.000Z"}
    assert body["messages"][1]["parts"] == [{"type": "text", "text": "Hello Ada.", "state": "done"}]


@everywhere
async def test_a_running_answer_is_left_to_the_resume(place: str):
    at = Chats(counted(60))
    stream = await at.ask("Hi", messageId="m1")
    await asyncio.sleep(2.5)
    body = await history(at, at.isolate(place))
    assert shown(body) == [("m1", "user", "Hi")]
    assert body["running"] == stream.data("start")[0]["generationId"]


async def test_an_answer_whose_isolate_is_gone_is_shown_as_partial():
    at = Chats(counted(60))
    await at.ask("Hi", messageId="m1")
    await asyncio.sleep(2.5)
    at.evict()
    await asyncio.sleep(30)
    body = await history(at)
    assert [(role, text) for _, role, text in shown(body)] == [("user", "Hi"), ("assistant", "1 2 3 ")]
    assert (body["messages"][1]["metadata"]["partial"], body["running"]) == (True, None)


async def test_an_answer_without_a_word_whose_isolate_is_gone_is_not_shown():
    at = Chats([60.0, "Never."])
    await at.begin("Hi", messageId="m1")
    at.evict()
    await asyncio.sleep(30)
    assert (shown(await history(at)), (await history(at))["running"]) == ([("m1", "user", "Hi")], None)


async def test_an_answer_that_ends_while_its_thread_is_read_is_shown_and_does_not_run():
    at = Chats(["One.", 2.0, " Two."])
    await at.ask("Hi", messageId="m1")
    at.kv.fails = lambda operation, key: operation == "list" and 1 < asyncio.get_running_loop().time() < 3
    await asyncio.sleep(1.5)
    body = await history(at)
    assert (shown(body)[1][2], body["running"]) == ("One. Two.", None)


async def test_another_format_is_refused():
    reply = await Chats().here.call("GET", f"/api/chat/{THREAD}?format=events")
    assert (reply.status, reply.json()["code"]) == (400, "invalid_parameter")


def test_every_part_of_a_message_is_shown():
    called = ChatMessage("a", "assistant", "", 0, [ToolCall("c", "look", {"n": 1}), ToolCall("d", "wait")])
    items = [
        ChatMessage("s", "system", "Be brief.", 0),
        ChatMessage("u", "user", [{"type": "text", "text": "See"}, PIXEL, {"type": "audio", "a": 1}], 0),
        called,
        ChatMessage("r", "tool", {"rows": 2}, 0, tool_call_id="c"),
        ChatMessage("o", "user", {"any": "json"}, 0),
    ]
    told = [(message.id, message.role, message.parts) for message in to_ui_messages(items)]
    look = {"type": "dynamic-tool", "toolName": "look", "toolCallId": "c", "input": {"n": 1}}
    wait = {"type": "dynamic-tool", "toolName": "wait", "toolCallId": "d", "input": None}
    assert told == [
        ("s", "system", [{"type": "text", "text": "Be brief.", "state": "done"}]),
        (
            "u",
            "user",
            [
                {"type": "text", "text": "See", "state": "done"},
                {"type": "file", "mediaType": "image/png", "url": PIXEL["image_url"]["url"]},
                {"type": "data-part", "data": {"type": "audio", "a": 1}},
            ],
        ),
        (
            "a",
            "assistant",
            [
                {**look, "state": "output-available", "output": {"rows": 2}},
                {**wait, "state": "input-available"},
            ],
        ),
        ("o", "user", [{"type": "text", "text": '{"any":"json"}', "state": "done"}]),
    ]


def test_reasoning_is_a_part_before_the_answer():
    [message] = to_ui_messages([ChatMessage("a", "assistant", "Yes.", 0, reasoning="Hm.")])
    assert message.parts == [
        {"type": "reasoning", "text": "Hm.", "state": "done"},
        {"type": "text", "text": "Yes.", "state": "done"},
    ]


async def test_it_says_that_older_messages_were_cut_off():
    at = Chats(thread_history_limit=2)
    for number in range(2):
        await at.turn(f"{number}?")
    body = await history(at)
    assert (len(body["messages"]), body["truncated"]) == (2, True)


async def test_a_picture_of_day_0_is_shown_and_given_to_the_model_on_day_29_and_later():
    at = Chats()
    picture = {**PIXEL, "image_url": {"url": image_url(MIN_APART_BYTES)}}
    await at.turn([{"type": "text", "text": "Look."}, picture], messageId="m1")  # type: ignore[arg-type]
    begun = await history(at)
    file = {"type": "file", "mediaType": "image/png", "url": picture["image_url"]["url"]}
    assert begun["messages"][0]["parts"] == [{"type": "text", "text": "Look.", "state": "done"}, file]
    for visit in range(1, 4):
        await asyncio.sleep(29 * DAY)
        # In an isolate that has seen nothing of it.
        at.evict()
        assert (await history(at))["messages"][:2] == begun["messages"]
        listed = (await at.here.call("GET", f"/api/sessions?resourceId={ADA}")).json()
        assert [thread["threadId"] for thread in listed["sessions"]] == [THREAD]
        await at.turn(f"Day {29 * visit}", messageId=f"day-{visit}")
        assert at.model.asked[-1][0].content == [{"type": "text", "text": "Look."}, picture]
    await asyncio.sleep(31 * DAY)
    assert (await history(at))["messages"] == []
