"""An answer that called tools, as the model is given it again: nothing twice, nothing out of its order."""

from typing import Any

import pytest

from tests.support.strict_template import refusal
from waypost_worker.chat.alternation import NO_ANSWER
from waypost_worker.chat.prompt import build_prompt
from waypost_worker.chat.tool_steps import LEFT_OUT, NO_RESULT, NOTHING_RETURNED, expanded
from waypost_worker.conversations.message import ChatMessage, ToolCall, ToolEvent
from waypost_worker.models.openai_messages import GO_ON, chat_messages
from waypost_worker.models.settings import ModelSettings

ASKED = ChatMessage("q", "user", "Note my name, and the date.", 0)
MORE = ChatMessage("m", "user", "And now?", 0)


def call(id: str, name: str = "add_note", args: Any = None, **place: int) -> ToolEvent:
    return ToolEvent("call", id, name, args, **place)


def result(id: str, value: Any = "done", **fields: Any) -> ToolEvent:
    return ToolEvent("result", id, value=value, **fields)


def answer(text: str, *events: ToolEvent, **fields: Any) -> ChatMessage:
    return ChatMessage("a", "assistant", text, 0, tool_events=list(events), **fields)


def given(*items: ChatMessage, budget: int | None = None) -> list[tuple[str, Any]]:
    messages = build_prompt(items, None, ModelSettings(), budget).messages
    told = chat_messages(messages)
    assert refusal(told) is None
    return [(item.role, [each.name for each in item.tool_calls] or item.content) for item in messages]


def test_an_answer_is_given_as_the_steps_in_which_it_was_made():
    item = answer(
        "I write it down. Now the date. All noted.",
        call("c0", args={"text": "Ada"}, text=16, reasoning=3),
        ToolEvent("progress", "c0", value="half", text=16),
        result("c0", {"id": 1}, text=16),
        call("c1", "clock.now", text=30, reasoning=5, step=1),
        call("c2", "clock.zone", text=30, reasoning=5, step=1),
        result("c2", "UTC", text=30),
        result("c1", "Friday", text=30),
        reasoning="Hm.Ah!Oh.",
    )
    assert expanded([ASKED, item]) == [
        ASKED,
        ChatMessage(
            "a-0",
            "assistant",
            "I write it down.",
            0,
            [ToolCall("a/c0", "add_note", {"text": "Ada"})],
            reasoning="Hm.",
        ),
        ChatMessage("a/c0", "tool", '{"id":1}', 0, tool_call_id="a/c0"),
        ChatMessage(
            "a-1",
            "assistant",
            "Now the date.",
            0,
            [ToolCall("a/c1", "clock_now"), ToolCall("a/c2", "clock_zone")],
            reasoning="Ah",
        ),
        ChatMessage("a/c1", "tool", "Friday", 0, tool_call_id="a/c1"),
        ChatMessage("a/c2", "tool", "UTC", 0, tool_call_id="a/c2"),
        ChatMessage("a", "assistant", "All noted.", 0, reasoning="!Oh."),
    ]
    roles = [role for role, _ in given(ASKED, item, MORE)]
    assert roles == ["user", "assistant", "tool", "assistant", "tool", "tool", "assistant", "user"]


def test_an_answer_without_tools_is_given_as_it_is():
    item = answer("Hello.")
    assert expanded([ASKED, item]) == [ASKED, item]
    assert expanded([]) == []


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (result("c", {"a": 1}), '{"a":1}'),
        (result("c", ""), NOTHING_RETURNED),
        (result("c", None), NOTHING_RETURNED),
        (result("c", False), "false"),
        (result("c", "refused", is_error=True), "Error: refused"),
        (result("c", "Error: refused", is_error=True), "Error: refused"),
        (result("c", {"code": "refused"}, is_error=True), 'Error: {"code":"refused"}'),
        (result("c", {"code": "refused", "message": "No."}, is_error=True), "Error (refused): No."),
        (result("c", {"message": "No."}, is_error=True), "Error (error): No."),
        (result("c", {"message": 1}, is_error=True), 'Error: {"message":1}'),
        (result("c", None, is_error=True), "Error: the tool failed."),
        (ToolEvent("progress", "c", value="half"), NO_RESULT),
    ],
)
def test_a_result_is_given_as_text_that_says_whether_it_is_an_error(event: ToolEvent, told: str):
    assert given(ASKED, answer("Done.", call("c"), event), MORE)[2] == ("tool", told)


def test_of_two_results_of_one_call_the_first_is_given():
    assert given(ASKED, answer("Done.", call("c"), result("c", "first"), result("c")), MORE)[2] == ("tool", "first")


def test_a_call_that_two_answers_have_is_given_with_both_and_one_that_is_logged_twice_once():
    twice = answer("Done.", call("c"), call("c"), result("c"))
    again = ChatMessage("b", "assistant", "Done.", 0, tool_events=twice.tool_events)
    step = [("assistant", ["add_note"]), ("tool", "done"), ("assistant", "Done.")]
    roles = [("user", ASKED.content), *step, ("user", MORE.content), *step, ("user", MORE.content)]
    assert given(ASKED, twice, MORE, again, MORE) == roles


def test_the_answer_that_is_being_given_ends_with_its_results_or_is_to_be_gone_on_with():
    running = answer("Let me see.", call("c", text=11), result("c", text=11), is_open=True)
    assert given(ASKED, running)[1:] == [("assistant", ["add_note"]), ("tool", "done")]
    begun = answer("Let me see. It is", call("c", text=11), result("c", text=11), is_open=True)
    assert given(ASKED, begun)[3:] == [("assistant", "It is"), ("user", GO_ON)]
    assert given(ASKED, answer("It is", is_open=True))[1:] == [("assistant", "It is"), ("user", GO_ON)]
    assert given(ASKED, answer("", is_open=True)) == [("user", ASKED.content)]


def test_an_answer_that_was_lost_earlier_is_not_gone_on_with():
    lost = answer("It is", call("c"), result("c"), is_open=True)
    assert given(ASKED, lost, MORE)[-2:] == [("assistant", "It is"), ("user", MORE.content)]
    stopped = answer("", call("c"), partial=True)
    assert given(ASKED, stopped, MORE)[1:] == [
        ("assistant", ["add_note"]),
        ("tool", NO_RESULT),
        ("assistant", NO_ANSWER),
        ("user", MORE.content),
    ]


def test_where_a_turn_does_not_fit_its_oldest_results_are_left_out():
    long = answer(
        "Both read.",
        call("c0", "read"),
        result("c0", "a" * 1000),
        call("c1", "read", step=1),
        result("c1", "b" * 1000),
    )
    tools = [LEFT_OUT, "b" * 1000]
    assert [text for role, text in given(ASKED, long, MORE, budget=1300) if role == "tool"] == tools
    assert [text for role, text in given(ASKED, long, MORE, budget=400) if role == "tool"] == [LEFT_OUT] * 2
    # Without the results it does not fit either.
    assert given(ASKED, long, MORE, budget=100) == [("user", MORE.content)]
    assert [text for role, text in given(ASKED, long, MORE, budget=3000) if role == "tool"] == ["a" * 1000, "b" * 1000]


def test_a_result_that_the_model_has_not_seen_yet_stays_whatever_its_length_and_a_short_one_is_not_worth_a_note():
    running = answer(
        "",
        call("c0", "read"),
        result("c0", "a" * 1000),
        call("c1", "read", step=1),
        result("c1", "short"),
        call("c2", "read", step=2),
        result("c2", "c" * 1000),
        is_open=True,
    )
    assert [text for role, text in given(ASKED, running, budget=100) if role == "tool"] == [
        LEFT_OUT,
        "short",
        "c" * 1000,
    ]
