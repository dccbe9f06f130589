"""A model that insists on turns is never refused its turns, whatever a conversation has."""

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.chats import ADA, THREAD, Chats, ends
from tests.support.strict_template import StrictModel, refusal
from tests.support.voice import SESSION
from tests.support.voice import Setting as Voice
from waypost_worker.chat.alternation import NO_ANSWER, grouped, joined
from waypost_worker.chat.prompt import build_prompt
from waypost_worker.conversations.message import ChatMessage, ToolCall, ToolEvent
from waypost_worker.models.openai_messages import chat_messages
from waypost_worker.models.settings import ModelSettings

PIXEL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


def message(role: Any, content: Any = "x", **fields: Any) -> ChatMessage:
    return ChatMessage(f"{role}-1", role, content, 0, **fields)


EVENTS = st.lists(
    st.builds(
        ToolEvent,
        st.sampled_from(["call", "progress", "result"]),
        st.sampled_from("abc"),
        st.just("look"),
        st.sampled_from([None, "", "seen", {"a": 1}]),
        st.booleans(),
        text=st.integers(0, 9),
        reasoning=st.integers(0, 9),
        step=st.integers(0, 2),
    ),
    max_size=6,
)
ANSWERS = st.builds(
    ChatMessage,
    st.sampled_from("xyz"),
    st.just("assistant"),
    st.sampled_from(["", " ", "I look.", "I look. It is there."]),
    st.just(0),
    partial=st.booleans(),
    is_open=st.booleans(),
    reasoning=st.sampled_from(["", "Let me see."]),
    tool_events=EVENTS,
)
ITEMS = st.lists(
    ANSWERS
    | st.builds(
        ChatMessage,
        st.just("i"),
        st.sampled_from(["user", "assistant", "system", "tool"]),
        st.sampled_from(["", " ", "Hi", [PIXEL], [{"type": "text", "text": "Hi"}], {"a": 1}, [], None]),
        st.just(0),
        st.lists(st.builds(ToolCall, st.sampled_from("abc")), max_size=2, unique_by=lambda call: call.id),
        st.sampled_from([None, "a", "b", "c"]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=12,
)


@given(ITEMS, st.integers(0, 60), st.sampled_from([None, "Be brief."]))
def test_whatever_is_kept_the_prompt_takes_turns_and_ends_with_the_question(
    items: list[ChatMessage], budget: int, instructions: str | None
):
    prompt = build_prompt([*items, message("user", "Now?")], instructions, ModelSettings(), budget)
    assert refusal(chat_messages(prompt.messages)) is None
    # Nothing is left for the converter to move or to leave out.
    assert len(chat_messages(prompt.messages)) == len(prompt.messages)


@given(ITEMS, ANSWERS, st.integers(0, 60))
def test_an_answer_that_is_gone_on_with_takes_turns_too(items: list[ChatMessage], answer: ChatMessage, budget: int):
    running = msgspec.structs.replace(answer, is_open=True, partial=True)
    prompt = build_prompt([*items, message("user", "Now?"), running], None, ModelSettings(), budget)
    assert refusal(chat_messages(prompt.messages)) is None
    assert len(chat_messages(prompt.messages)) == len(prompt.messages)


async def test_a_chat_of_twelve_turns_with_stops_and_appended_messages_is_answered_each_time():
    at = Chats([10.0, "Late."], thread_history_limit=4)
    strict = StrictModel()
    at.here.app.model = strict
    for number in range(12):
        if number % 3 == 1:
            appended = [{"role": "user", "content": "More"}, {"role": "user", "content": "and more"}]
            session_id = at.threads.session_id_for(ADA, THREAD)
            await at.here.call("POST", f"/api/conversations/{session_id}/messages", {"messages": appended})
        if number % 3 == 2:
            # Stopped before its first word: the question stays without an answer.
            at.here.app.model = at.model
            asking = asyncio.ensure_future(at.turn("Stopped?"))
            await asyncio.sleep(1)
            await at.stop()
            await asking
            at.here.app.model = strict
        assert ends(await at.turn(f"{number}?")) == ("stop", False)
    assert [request[-1]["content"].split("\n\n")[-1] for request in strict.asked] == [f"{n}?" for n in range(12)]
    assert strict.asked[2][-1]["content"] == "Stopped?\n\n2?"


async def test_a_voice_agent_of_twelve_turns_is_answered_each_time():
    at = Voice(history_limit=3)
    at.client.app.model = StrictModel()
    for number in range(12):
        if number % 3 == 1:
            appended = {"messages": [{"role": "user", "content": "More"}]}
            await at.client.call("POST", f"/api/conversations/{SESSION}/messages", appended)
        assert (await at.ask(f"{number}?")).status == 200


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("One", "Two", "One\n\nTwo"),
        ("One", {"a": 1}, 'One\n\n{"a":1}'),
        ("One", [PIXEL], [{"type": "text", "text": "One"}, PIXEL]),
        ([PIXEL], [PIXEL], [PIXEL, PIXEL]),
    ],
)
def test_neighbours_of_one_role_are_joined(first: Any, second: Any, both: Any):
    [item] = joined([message("user", first), message("user", second)])
    assert item.content == both


def test_a_text_before_a_call_is_joined_with_the_call_and_nothing_is_joined_with_a_result():
    calls = [message("assistant", "", tool_calls=[ToolCall("a")]), message("tool", "1", tool_call_id="a")]
    items = joined([message("user"), message("assistant", "Look:"), *calls, message("assistant", "One.")])
    assert [(item.role, item.content, len(item.tool_calls)) for item in items] == [
        ("user", "x", 0),
        ("assistant", "Look:", 1),
        ("tool", "1", 0),
        ("assistant", "One.", 0),
    ]


def test_only_an_assistant_calls_tools():
    asked = message("user", "Hi", tool_calls=[ToolCall("a")])
    assert grouped([asked, message("tool", "1", tool_call_id="a")]) == [message("user", "Hi")]


def test_messages_that_are_joined_keep_what_was_thought_before_each():
    [item] = joined([message("assistant", "One.", reasoning="Hm."), message("assistant", "Two.", reasoning="Ah.")])
    assert (item.content, item.reasoning) == ("One.\n\nTwo.", "Hm.Ah.")


def test_a_result_without_an_answer_is_followed_by_a_note():
    called = [message("assistant", "", tool_calls=[ToolCall("a")]), message("tool", "1", tool_call_id="a")]
    roles = [(item.role, item.content) for item in joined([message("user"), *called, message("user", "Now?")])]
    assert roles[-3:] == [("tool", "1"), ("assistant", NO_ANSWER), ("user", "Now?")]


def test_results_stand_behind_their_calls_and_what_lacks_its_counterpart_is_left_out():
    answered = message("assistant", "Both.", tool_calls=[ToolCall("a"), ToolCall("b")])
    results = [message("tool", name, tool_call_id=name) for name in ("c", "a")]
    shown = build_prompt([message("user"), answered, message("user", "Now?"), *results], None, ModelSettings()).messages
    assert [(item.role, item.content) for item in shown] == [
        ("user", "x"),
        ("assistant", "Both."),
        ("tool", "a"),
        ("assistant", NO_ANSWER),
        ("user", "Now?"),
    ]
    assert shown[1].tool_calls == [ToolCall("a")]


def test_a_system_message_before_the_first_question_stays_and_one_within_goes_with_its_turn():
    opening, within = message("system", "Be brief."), message("system", "It is late.")
    items = [opening, message("assistant", "Welcome."), message("user", "x" * 50), within, message("user", "Now?")]
    told = [build_prompt(items, None, ModelSettings(), budget).messages for budget in (100, 20)]
    assert [(item.role, item.content) for item in told[0]] == [
        ("system", "Be brief.\n\nIt is late."),
        ("user", "x" * 50 + "\n\nNow?"),
    ]
    assert [(item.role, item.content) for item in told[1]] == [("system", "Be brief."), ("user", "Now?")]


def test_the_rule_of_the_template_can_be_broken():
    user, assistant = {"role": "user", "content": "x"}, {"role": "assistant", "content": "x"}
    call = {**assistant, "tool_calls": [{"id": "a"}]}
    result = {"role": "tool", "tool_call_id": "a", "content": "x"}
    assert refusal([user, call, result, assistant, user]) is None
    for wrong in ([assistant, user], [user, user], [user, assistant], [user, call, user], [user, call, result, user]):
        assert refusal(wrong) is not None
    assert refusal([msgspec.structs.asdict(message("user", ""))]) is not None
