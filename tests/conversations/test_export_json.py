"""What is shown of a conversation, as JSON and as JSON lines, and times that come back."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.virtual_time import START_MS
from waypost_worker.clock import to_iso
from waypost_worker.conversations.export_json import conversation_view, parse_timestamp, to_json_lines
from waypost_worker.conversations.message import ChatMessage, ForkOrigin, ToolCall
from waypost_worker.errors import InvalidBody

START = "2026-01-01T00:00:00.000Z"
QUESTION = ChatMessage("q", "user", "What is up?", START_MS)
CALL = ChatMessage("c", "assistant", "", START_MS + 1, [ToolCall("t", "weather", {"n": 1.0}), ToolCall("u")])
RESULT = ChatMessage("r", "tool", [1.0, 2**70], START_MS + 2, tool_call_id="t")


def shown(*items: ChatMessage) -> list[object]:
    messages: list[object] = msgspec.json.decode(msgspec.json.encode(conversation_view("s", items, None)))["messages"]
    return messages


def test_a_message_is_shown_with_what_it_has():
    assert shown(QUESTION, CALL, RESULT) == [
        {"id": "q", "role": "user", "content": "What is up?", "timestamp": START},
        {
            "id": "c",
            "role": "assistant",
            "content": "",
            "timestamp": "2026-01-01T00:00:00.001Z",
            "toolCalls": [{"id": "t", "name": "weather", "args": {"n": 1.0}}, {"id": "u", "name": "", "args": None}],
        },
        {
            "id": "r",
            "role": "tool",
            "content": [1.0, 2**70],
            "timestamp": "2026-01-01T00:00:00.002Z",
            "toolCallId": "t",
        },
    ]


@pytest.mark.parametrize(("partial", "is_open"), [(True, False), (True, True), (False, True)])
def test_an_answer_that_is_not_whole_is_marked_and_no_more_is_told_of_how_it_is_stored(partial: bool, is_open: bool):
    answer = ChatMessage("a", "assistant", "so far", START_MS, partial=partial, is_open=is_open, is_ui=True, place="p")
    assert shown(answer) == [
        {"id": "a", "role": "assistant", "content": "so far", "timestamp": START, "partial": True},
    ]


def test_a_conversation_says_where_it_was_forked_from():
    view = conversation_view("s", [], ForkOrigin("thread", "message"))
    assert msgspec.json.decode(msgspec.json.encode(view)) == {
        "sessionId": "s",
        "messages": [],
        "forkedFrom": {"threadId": "thread", "messageId": "message"},
    }


def test_json_lines_are_a_message_a_line():
    lines = to_json_lines(conversation_view("s", [QUESTION, RESULT], None).messages)
    assert lines == (
        b'{"id":"q","role":"user","content":"What is up?","timestamp":"2026-01-01T00:00:00.000Z"}\n'
        b'{"id":"r","role":"tool","content":[1.0,1180591620717411303424],'
        b'"timestamp":"2026-01-01T00:00:00.002Z","toolCallId":"t"}\n'
    )


def test_a_line_break_in_a_message_is_none_in_the_lines():
    view = conversation_view("s", [ChatMessage("q", "user", "a\nb\rc", 0)], None)
    line, rest = to_json_lines(view.messages).split(b"\n")
    assert (b"\r" in line, rest) == (False, b"")


def test_no_messages_are_no_lines():
    assert to_json_lines([]) == b""


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_a_time_that_is_shown_is_read_as_the_same(milliseconds: int):
    assert parse_timestamp(to_iso(milliseconds)) == milliseconds


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-01-01T01:00:00+01:00", START),
        ("2025-12-31T23:59:59.9999Z", "2025-12-31T23:59:59.999Z"),
        ("2026-01-01 00:00Z", START),
        ("0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_times_of_others_are_read_too(text: str, shown: str):
    assert to_iso(parse_timestamp(text)) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "today",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-02-30T00:00:00Z",
        "1767225600000",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "10000-01-01T00:00:00Z",
    ],
)
def test_what_is_no_time_is_refused(text: str):
    with pytest.raises(InvalidBody):
        parse_timestamp(text)
