"""The two wire formats of an answer, to the byte."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.support.answers import INFO, whole
from tests.support.sse_parser import parse_sse
from waypost_worker.chat.answer_events import AnswerEvent, KeepAlive, Position, ReasoningDelta, TextDelta
from waypost_worker.chat.live_answer import AnswerInfo, Outcome
from waypost_worker.chat.ui_stream import UiMessageStream
from waypost_worker.chat.wire_formats import (
    FORMATS,
    EventsFormat,
    answer_event_id,
    encode_answer,
    parse_answer_event_id,
)
from waypost_worker.conversations.message import ForkOrigin

FORK = AnswerInfo("g", "s", "t", "r", "m", forked_from=ForkOrigin("p", "m0"))
NASTY = 'a\r\nb\0 \u2028 "\\" é👋'


def test_an_answer_as_wayposts_events():
    followed = (TextDelta("One ", Position(4)), KeepAlive(), TextDelta("two.", Position(8)), Outcome("stop", 2))
    assert whole(EventsFormat(INFO), *followed) == (
        b"event: start\nretry: 1000\n"
        b'data: {"session_id":"s","threadId":"t","resourceId":"r","generationId":"g","messageId":"m"}\n\n'
        b'event: delta\nid: g.4\ndata: {"text":"One "}\n\n'
        b": heartbeat\n"
        b'event: delta\nid: g.8\ndata: {"text":"two."}\n\n'
        b"event: done\nid: g.done\n"
        b'data: {"generationId":"g","messageId":"g","finishReason":"stop","partial":false,"messageCount":2}\n\n'
    )


def test_an_answer_as_the_ai_sdks_chunks():
    followed = (TextDelta("One ", Position(4)), KeepAlive(), TextDelta("two.", Position(8)), Outcome("stop", 2))
    assert whole(UiMessageStream(INFO), *followed) == (
        b'data: {"type":"start","messageId":"g","messageMetadata":'
        b'{"session_id":"s","threadId":"t","resourceId":"r","generationId":"g","messageId":"m"}}\n\n'
        b'data: {"type":"start-step"}\n\n'
        b'data: {"type":"text-start","id":"g"}\n\n'
        b'data: {"type":"text-delta","id":"g","delta":"One "}\n\n'
        b": heartbeat\n"
        b'data: {"type":"text-delta","id":"g","delta":"two."}\n\n'
        b'data: {"type":"text-end","id":"g"}\n\n'
        b'data: {"type":"finish-step"}\n\n'
        b'data: {"type":"message-metadata","messageMetadata":{"finishReason":"stop","partial":false}}\n\n'
        b'data: {"type":"finish"}\n\n'
        b"data: [DONE]\n\n"
    )


THOUGHT = (ReasoningDelta("Hm.", Position(0, 3)), TextDelta("One", Position(3, 3)), Outcome("stop", 2))


def test_reasoning_as_wayposts_events():
    body = whole(EventsFormat(INFO), *THOUGHT)
    assert (
        b'event: reasoning\nid: g.0r3\ndata: {"text":"Hm."}\n\nevent: delta\nid: g.3r3\ndata: {"text":"One"}\n\n'
    ) in body


def test_reasoning_as_the_ai_sdks_chunks():
    assert (
        whole(UiMessageStream(INFO), *THOUGHT)
        .partition(b'{"type":"start-step"}\n\n')[2]
        .startswith(
            b'data: {"type":"reasoning-start","id":"g-reasoning"}\n\n'
            b'data: {"type":"reasoning-delta","id":"g-reasoning","delta":"Hm."}\n\n'
            b'data: {"type":"reasoning-end","id":"g-reasoning"}\n\n'
            b'data: {"type":"text-start","id":"g"}\n\n'
            b'data: {"type":"text-delta","id":"g","delta":"One"}\n\n'
            b'data: {"type":"text-end","id":"g"}\n\n'
        )
    )


def test_reasoning_without_an_answer_is_ended_too():
    body = whole(UiMessageStream(INFO), THOUGHT[0], Outcome("stopped", 1))
    assert b'{"type":"reasoning-end","id":"g-reasoning"}\n\ndata: {"type":"finish-step"}' in body
    assert b"text-" not in body


def test_a_fork_says_where_it_came_from_in_both_formats():
    head = b'"messageId":"m","forkedFrom":{"threadId":"p","messageId":"m0"}}'
    assert EventsFormat(FORK).head().endswith(head + b"\n\n")
    assert head + b'}\n\ndata: {"type":"start-step"}' in UiMessageStream(FORK).head()


def test_an_error_is_told_before_the_end():
    outcome = Outcome("error", 2, "model_failed", "It broke.")
    assert EventsFormat(INFO).tail(outcome) == (
        b'event: error\ndata: {"code":"model_failed","message":"It broke.","partial":true}\n\n'
        b"event: done\nid: g.done\n"
        b'data: {"generationId":"g","messageId":"g","finishReason":"error","partial":true,"messageCount":2}\n\n'
    )
    assert UiMessageStream(INFO).tail(outcome) == (
        b'data: {"type":"finish-step"}\n\n'
        b'data: {"type":"message-metadata","messageMetadata":{"finishReason":"error","partial":true,'
        b'"errorCode":"model_failed"}}\n\n'
        b'data: {"type":"error","errorText":"It broke."}\n\n'
        b'data: {"type":"finish"}\n\n'
        b"data: [DONE]\n\n"
    )


def test_an_error_before_the_first_word_says_that_nothing_was_kept_and_when_to_come_back():
    outcome = Outcome("error", 0, "model_failed", "Busy.", is_undone=True, retry_after_seconds=7)
    data = b'data: {"code":"model_failed","message":"Busy.","partial":false,"retryAfter":7}\n\n'
    assert EventsFormat(INFO).tail(outcome).startswith(b"event: error\n" + data)


def test_an_answer_that_was_stopped_is_partial_and_no_error():
    outcome = Outcome("stopped", 1)
    assert EventsFormat(INFO).tail(outcome).endswith(
        b'"finishReason":"stopped","partial":true,"messageCount":1}\n\n'
    )  # fmt: skip
    assert b'{"finishReason":"stopped","partial":true}' in UiMessageStream(INFO).tail(outcome)
    assert b"error" not in UiMessageStream(INFO).tail(outcome)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_any_text_arrives_as_it_was_said(name: str):
    body = whole(FORMATS[name](INFO), TextDelta(NASTY, Position(len(NASTY))), Outcome("stop", 2))
    said: list[Any] = [json.loads(event.data) for event in parse_sse(body) if event.data != "[DONE]"]
    assert [chunk.get("text", chunk.get("delta")) for chunk in said if "text" in chunk or "delta" in chunk] == [NASTY]


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_an_answer_whose_follower_ends_without_an_outcome_just_ends(name: str):
    answer_format = FORMATS[name](INFO)
    body = whole(answer_format, TextDelta("a", Position(1)))
    answer_format = FORMATS[name](INFO)
    assert body == answer_format.head() + answer_format.addition(TextDelta("a", Position(1)))


async def test_the_head_of_a_stream_does_not_wait_for_a_word():
    async def never() -> AsyncGenerator[AnswerEvent, None]:
        raise AssertionError("it was waited for")
        yield KeepAlive()

    chunks = encode_answer(never(), EventsFormat(INFO))
    assert await anext(chunks) == EventsFormat(INFO).head()
    await chunks.aclose()


async def test_closing_a_stream_closes_what_it_follows():
    closed = []

    async def following() -> AsyncGenerator[AnswerEvent, None]:
        try:
            while True:
                yield KeepAlive()
        finally:
            closed.append(True)

    chunks = encode_answer(following(), EventsFormat(INFO))
    await anext(chunks)
    await anext(chunks)
    await chunks.aclose()
    assert closed == [True]


@pytest.mark.parametrize(("generation_id", "end"), [("g", 0), ("019b-a.b~c", 12), ("g", 999_999_999)])
@pytest.mark.parametrize("reasoning", [0, 1, 999_999_999])
@pytest.mark.parametrize("tools", [0, 1, 999_999_999])
def test_a_place_is_read_as_it_was_written(generation_id: str, end: int, reasoning: int, tools: int):
    info, position = AnswerInfo(generation_id, "s", "t", "r", "m"), Position(end, reasoning, tools)
    assert parse_answer_event_id(answer_event_id(info, position)) == (generation_id, position)


@pytest.mark.parametrize(
    "text", ["", "g", "4", "g.", "g.x", "g.-1", "g.+1", "g. 1", "g.²", "g.1234567890", "g.done", "g.4t", "g.4t1r1"]
)
def test_what_is_no_place_is_none(text: str):
    assert parse_answer_event_id(text) is None
