"""An answer that called tools, wherever it is seen again: in a stream that begins again, in the history, in a fork."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.chats import ADA, THREAD, Chats, ui_chunks
from tests.support.listener import Listener
from waypost_worker.chat.chunks import Chunk, ChunkStore
from waypost_worker.conversations.message import ChatMessage, ToolEvent

CALL = ToolEvent("call", "c1", "add", {"n": 1}, text=4)
RESULT = ToolEvent("result", "c1", value=["ok"], text=4)
FAILED = ToolEvent("result", "c1", value="No.", is_error=True, text=4)
TOLD = [
    ("delta", {"text": "One "}),
    ("tool_call", {"id": "c1", "name": "add", "arguments": {"n": 1}, "step": 0}),
    ("tool_result", {"id": "c1", "result": ["ok"], "isError": False}),
    ("delta", {"text": "two."}),
]
PART = {
    "type": "dynamic-tool",
    "toolName": "add",
    "toolCallId": "c1",
    "input": {"n": 1},
    "providerExecuted": True,
}
STEP = {"type": "step-start"}
ONE = {"type": "text", "text": "One ", "state": "done"}
TWO = {"type": "text", "text": "two.", "state": "done"}


async def thread_with(text: str, *events: ToolEvent, is_open: bool = False) -> tuple[Chats, str]:
    """A thread that ends with an answer that called a tool, and the answer's id."""
    at = Chats(["Hello."])
    await at.turn("Hi", messageId="m1")
    conversation = at.conversation()
    answer_id = conversation.new_cursor()
    now = at.clock.now_ms()
    question = ChatMessage("m2", "user", "Go", now)
    answer = ChatMessage(answer_id, "assistant", text, now, tool_events=list(events), is_open=is_open, partial=is_open)
    await conversation.append([question, answer])
    return at, answer_id


def additions(stream: Listener) -> list[tuple[str, Any]]:
    return [(event.name, event.data) for event in stream.events if event.name not in ("start", "done")]


async def shown(at: Chats) -> Any:
    reply = await at.here.call("GET", f"/api/chat/{THREAD}?resourceId={ADA}")
    return reply.json()


async def test_a_reader_comes_back_between_two_events_of_an_answer_that_has_ended():
    at, answer_id = await thread_with("One two.", CALL, RESULT)
    for number, position in enumerate(["0", "4", "4t1", "4t2", "8t2"]):
        stream = await at.resumed(last=f"{answer_id}.{position}")
        await stream.until_over()
        assert additions(stream) == TOLD[number:]


async def test_an_answer_that_is_generated_elsewhere_is_followed_in_its_order():
    at, answer_id = await thread_with("", is_open=True)
    chunks = ChunkStore(at.kv.kv, answer_id)
    await chunks.write(0, Chunk(at.clock.now_ms(), "One two.", tool_events=[CALL, RESULT]))
    stream = await at.resumed()
    await stream.until_event(5)
    assert additions(stream) == TOLD
    again = await at.resumed(last=stream.events[2].id)
    await again.until_event(3)
    assert additions(again) == TOLD[2:]


@pytest.mark.parametrize(
    ("events", "part"),
    [
        ([CALL, RESULT], {"state": "output-available", "output": ["ok"]}),
        ([CALL, FAILED], {"state": "output-error", "errorText": "No."}),
    ],
)
async def test_the_history_of_the_ai_sdk_has_call_and_result_between_texts(events: Sequence[ToolEvent], part: Any):
    at, _ = await thread_with("One two.", *events)
    assert (await shown(at))["messages"][-1]["parts"] == [STEP, ONE, {**PART, **part}, STEP, TWO]


async def test_an_abandoned_answer_that_only_called_a_tool_is_shown_with_its_call_as_cut_off():
    at, answer_id = await thread_with("", is_open=True)
    await ChunkStore(at.kv.kv, answer_id).write(0, Chunk(at.clock.now_ms(), tool_events=[CALL]))
    assert (await shown(at))["running"] == answer_id
    await asyncio.sleep(60)
    body = await shown(at)
    assert body["running"] is None
    [step, call, end] = body["messages"][-1]["parts"]
    assert (step, call["state"], end) == (STEP, "output-error", STEP)
    assert "before this call had a result" in call["errorText"]


async def test_the_next_question_closes_an_abandoned_answer_that_only_called_a_tool():
    at, answer_id = await thread_with("", is_open=True)
    await ChunkStore(at.kv.kv, answer_id).write(0, Chunk(at.clock.now_ms(), tool_events=[CALL]))
    await asyncio.sleep(60)
    await at.turn("And?", messageId="m3")
    for key in await at.keys("gen:"):
        await at.kv.kv.delete(key)
    items = await at.items()
    [answer] = [item for item in items if item.id == answer_id]
    assert (answer.tool_events, answer.partial, answer.is_open) == ([CALL], True, False)


async def test_a_fork_has_what_the_tools_did():
    at, _ = await thread_with("One two.", CALL, RESULT)
    body = {"forkFromThreadId": THREAD, "threadId": "fork", "resourceId": ADA}
    assert (await at.here.call("POST", "/api/chat/fork", body)).status in (200, 201)
    assert (await at.items("fork"))[-1].tool_events == [CALL, RESULT]


async def test_a_question_that_is_asked_again_is_answered_with_what_the_tools_did():
    at, answer_id = await thread_with("One two.", CALL, RESULT)
    stream = await at.turn("Go", messageId="m2")
    assert (stream.data("start")[0]["generationId"], additions(stream)) == (answer_id, TOLD)
    chunks = ui_chunks((await at.ask_ui("Go", "m2")).body)
    assert [chunk["type"] for chunk in chunks if chunk["type"].startswith("tool-")] == [
        "tool-input-start",
        "tool-input-available",
        "tool-output-available",
    ]
