"""What is shown of a conversation, as JSON and as JSON lines, and times that come back."""

import msgspec
import pytest

from simulation.virtual_time import START_MS
from waypost_worker.conversations.conversation import History
from waypost_worker.conversations.export_json import conversation_view, to_json_lines
from waypost_worker.conversations.message import ChatMessage, ForkOrigin, ToolCall

START = "2026-01-01T00:00:00.000Z"
QUESTION = ChatMessage("q", "user", "What is up?", START_MS)
CALL = ChatMessage("c", "assistant", "", START_MS + 1, [ToolCall("t", "weather", {"n": 1.0}), ToolCall("u")])
RESULT = ChatMessage("r", "tool", [1.0, 2**70], START_MS + 2, tool_call_id="t")


def shown(*items: ChatMessage) -> list[object]:
    view = conversation_view("s", History(list(items), None))
    messages: list[object] = msgspec.json.decode(msgspec.json.encode(view))["messages"]
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
    view = conversation_view("s", History([], ForkOrigin("thread", "message")))
    assert msgspec.json.decode(msgspec.json.encode(view)) == {
        "sessionId": "s",
        "messages": [],
        "truncated": False,
        "forkedFrom": {"threadId": "thread", "messageId": "message"},
    }


def test_json_lines_are_a_message_a_line():
    lines = to_json_lines(conversation_view("s", History([QUESTION, RESULT], None)).messages)
    assert lines == (
        b'{"id":"q","role":"user","content":"What is up?","timestamp":"2026-01-01T00:00:00.000Z"}\n'
        b'{"id":"r","role":"tool","content":[1.0,1180591620717411303424],'
        b'"timestamp":"2026-01-01T00:00:00.002Z","toolCallId":"t"}\n'
    )


def test_a_line_break_in_a_message_is_none_in_the_lines():
    view = conversation_view("s", History([ChatMessage("q", "user", "a\nb\rc", 0)], None))
    line, rest = to_json_lines(view.messages).split(b"\n")
    assert (b"\r" in line, rest) == (False, b"")


def test_no_messages_are_no_lines():
    assert to_json_lines([]) == b""


def test_it_says_that_older_messages_were_cut_off_and_how_to_read_older_ones():
    view = msgspec.json.decode(msgspec.json.encode(conversation_view("s", History([], None, truncated=True), "q7")))
    assert (view["truncated"], view["before"]) == (True, "q7")
