"""The tool events of a running answer: where they stand, what they take, and how many there may be."""

import asyncio
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import example, given

from simulation.virtual_time import START_MS
from tests.support.following import DONE, Following
from tests.support.strategies import json_values
from waypost_worker.chat.answer_events import Position, ToolUpdate
from waypost_worker.chat.live_answer import LiveAnswer, LiveAnswers, decoded_bytes
from waypost_worker.conversations.message import ChatMessage, ToolEvent
from waypost_worker.limits import MAX_LIVE_ANSWERS_BYTES, MAX_PROGRESS_BYTES
from waypost_worker.models.model import Reasoning

CALL = ToolEvent("call", "c1", "add", {"n": 1})
RESULT = ToolEvent("result", "c1", value="ok", is_error=True, step=2)


def live() -> LiveAnswer:
    return LiveAnswer("g", "q", START_MS)


def test_an_event_stands_behind_what_was_generated_before_it():
    answer = live()
    answer.add(Reasoning("Hm."))
    answer.add("One ")
    answer.add_tool_event(CALL)
    answer.add("two.")
    answer.add_tool_event(RESULT)
    assert answer.tool_events == [
        ToolEvent("call", "c1", "add", {"n": 1}, text=4, reasoning=3),
        ToolEvent("result", "c1", value="ok", is_error=True, text=8, reasoning=3, step=2),
    ]
    assert answer.piece_counts == (2, 1, 2)


def test_an_answer_with_a_call_is_not_blank_and_one_that_only_thinks_is():
    answer = live()
    answer.add(Reasoning("Hm."))
    assert answer.is_blank
    answer.add_tool_event(CALL)
    assert not answer.is_blank
    assert not ChatMessage("g", "assistant", "", 0, tool_events=[CALL]).is_blank
    assert ChatMessage("g", "assistant", "", 0, reasoning="Hm.").is_blank


async def test_an_event_wakes_the_readers():
    at = Following()
    hearing = asyncio.ensure_future(at.hear(at.follow_live()))
    await asyncio.sleep(1)
    at.live.add_tool_event(CALL)
    await asyncio.sleep(0.1)
    assert at.told == [ToolUpdate(CALL, Position(0, 0, 1))]
    at.live.outcome = DONE
    await hearing


def test_an_answer_goes_on_from_one_that_was_broken_off_with_each_event_at_its_place():
    broken = live()
    broken.add(Reasoning("Hm."))
    broken.add("One ")
    broken.add_tool_event(CALL)
    broken.add("two")
    answer = live()
    answer.inherit(ChatMessage("g", "assistant", broken.text, 0, reasoning="Hm.", tool_events=list(broken.tool_events)))
    answer.add_tool_event(RESULT)
    answer.add(".")
    assert (answer.text, answer.reasoning, answer.characters) == ("One two.", ["Hm."], 8)
    assert [(event.kind, event.text) for event in answer.tool_events] == [("call", 4), ("result", 7)]
    nothing = live()
    nothing.inherit(ChatMessage("g", "assistant", "", 0))
    assert (nothing.is_blank, nothing.piece_counts) == (True, (0, 0, 0))


def test_a_text_behind_a_call_does_not_touch_the_text_before_it():
    at = live()
    assert (at.has_said_nothing, at.spaced("It")) == (True, "It")
    at.add_tool_event(CALL)
    assert (at.has_said_nothing, at.spaced("It")) == (True, "It")
    at.add("I look.")
    assert (at.has_said_nothing, at.spaced("It")) == (False, "It")
    at.add_tool_event(CALL)
    assert (at.has_said_nothing, at.spaced("It"), at.spaced("\nIt")) == (True, " It", "\nIt")
    at.add("It ")
    at.add_tool_event(CALL)
    assert at.spaced("is") == "is"


def test_the_length_of_an_answer_counts_its_tool_events_as_json():
    answer = live()
    answer.add(Reasoning("Hm."))
    answer.add("One ")
    assert answer.length == 7
    answer.add_tool_event(CALL)
    assert answer.length == 7 + len(msgspec.json.encode(answer.tool_events[0]))


def test_the_events_of_all_answers_have_a_bounded_number_of_bytes():
    answers, answer, other = LiveAnswers(), live(), live()
    answer.add_tool_event(CALL)
    answers.add("r", "t", answer)
    answers.add("r", "u", other)
    assert answers.bytes == answer.size
    other.add_tool_event(ToolEvent("result", "c1", value="x" * (MAX_LIVE_ANSWERS_BYTES // 4)))
    assert answers.bytes == answer.size + other.size
    assert not answer.has_room
    answers.remove("r", "u", other)
    answers.remove("r", "t", answer)
    assert answers.bytes == 0


def test_progress_is_left_out_beyond_its_bound_and_calls_and_results_are_not():
    answer = live()
    for number in range(2000):
        answer.add_tool_event(ToolEvent("progress", "c1", value=number))
    kept = [event for event in answer.tool_events if event.kind == "progress"]
    size = len(msgspec.json.encode(kept))
    assert MAX_PROGRESS_BYTES - 100 < size <= MAX_PROGRESS_BYTES + len(kept) + 2
    assert [event.value for event in kept] == list(range(len(kept)))
    answer.add_tool_event(RESULT)
    answer.add_tool_event(ToolEvent("call", "c2", value="x" * MAX_PROGRESS_BYTES))
    assert [event.kind for event in answer.tool_events[-2:]] == ["result", "call"]


def memory_of(value: Any) -> int:
    inner: list[Any] = []
    if isinstance(value, dict):
        inner = [*value, *value.values()]
    elif isinstance(value, list):
        inner = value
    return sys.getsizeof(value) + sum(map(memory_of, inner))


@given(json_values)
@example([[]] * 1000)
@example([{}] * 1000)
@example([{"a": 1}] * 1000)
@example([{str(number): 0 for number in range(6)}] * 100)
@example({str(number): 0.5 for number in range(1000)})
@example(["👋"] * 1000)
@example("👋" * 1000)
def test_no_json_takes_more_memory_than_is_counted(value: object):
    text = msgspec.json.encode(value)
    assert memory_of(msgspec.json.decode(text)) <= decoded_bytes(text) + 80


@pytest.mark.parametrize("value", ["x" * 1000, {"text": "x" * 1000}])
def test_a_text_is_not_counted_as_if_it_were_many_objects(value: object):
    assert decoded_bytes(msgspec.json.encode(value)) < 5000
