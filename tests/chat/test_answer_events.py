"""What a reader lacks of an answer: each character and each tool event once, in the order in which they came."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.virtual_time import START_MS
from waypost_worker.chat.answer_events import (
    START,
    Addition,
    Position,
    ReasoningDelta,
    TextDelta,
    ToolUpdate,
    additions,
)
from waypost_worker.chat.live_answer import LiveAnswer
from waypost_worker.conversations.message import ToolEvent
from waypost_worker.models.model import Reasoning

CALL = ToolEvent("call", "c1", "add", {"n": 1})
SAID = ToolEvent("progress", "c1", value="half")
RESULT = ToolEvent("result", "c1", value="ok")

Step = str | Reasoning | ToolEvent
steps = st.lists(
    st.one_of(
        st.text("ab👋", min_size=1, max_size=4),
        st.text("xyz", min_size=1, max_size=4).map(Reasoning),
        st.sampled_from([CALL, SAID, RESULT]),
    ),
    max_size=12,
)


def answer_of(script: Iterable[Step]) -> LiveAnswer:
    live = LiveAnswer("g", "q", START_MS)
    for step in script:
        if isinstance(step, ToolEvent):
            live.add_tool_event(step)
        else:
            live.add(step)
    return live


def end_of(live: LiveAnswer) -> Position:
    return Position(live.characters, live.reasoning_characters, len(live.tool_events))


def lacking(live: LiveAnswer, sent: Position, told: LiveAnswer | None = None) -> list[Addition]:
    """What a reader lacks that has `sent`; what is in `told` is not looked at any more."""
    told = told or answer_of([])
    text, reasoning = live.text[told.characters :], "".join(live.reasoning)[told.reasoning_characters :]
    events = live.tool_events[len(told.tool_events) :]
    return list(additions(text, reasoning, events, sent, end_of(live)))


def read(told: Sequence[Addition], sent: Position = START) -> tuple[str, str, list[tuple[ToolEvent, int, int]]]:
    """All text, all reasoning, and each event with how much of both the reader had before it."""
    text = reasoning = ""
    events: list[tuple[ToolEvent, int, int]] = []
    for one in told:
        if isinstance(one, ToolUpdate):
            events.append((one.event, sent.text + len(text), sent.reasoning + len(reasoning)))
        elif isinstance(one, TextDelta):
            text += one.text
        else:
            reasoning += one.text
        assert one.end == (sent.text + len(text), sent.reasoning + len(reasoning), sent.tools + len(events))
    return text, reasoning, events


def test_an_event_comes_behind_what_precedes_it_and_before_what_follows():
    live = answer_of([Reasoning("Hm."), "One ", CALL, SAID, RESULT, Reasoning("So."), "two."])
    call, said, result = live.tool_events
    assert lacking(live, START) == [
        ReasoningDelta("Hm.", Position(0, 3)),
        TextDelta("One ", Position(4, 3)),
        ToolUpdate(call, Position(4, 3, 1)),
        ToolUpdate(said, Position(4, 3, 2)),
        ToolUpdate(result, Position(4, 3, 3)),
        ReasoningDelta("So.", Position(4, 6, 3)),
        TextDelta("two.", Position(8, 6, 3)),
    ]


@pytest.mark.parametrize("number", range(8))
def test_a_reader_that_comes_back_behind_any_of_them_gets_the_rest(number: int):
    live = answer_of([Reasoning("Hm."), "One ", CALL, SAID, RESULT, Reasoning("So."), "two."])
    told = lacking(live, START)
    sent = told[number - 1].end if number else START
    assert lacking(live, sent) == told[number:]


def test_a_reader_in_the_middle_of_a_text_gets_its_rest_before_the_event():
    live = answer_of(["One ", CALL, "two."])
    assert [type(one) for one in lacking(live, Position(2))] == [TextDelta, ToolUpdate, TextDelta]
    assert read(lacking(live, Position(2)), Position(2))[0] == "e two."


def test_a_reader_that_is_further_than_the_answer_gets_nothing():
    assert lacking(answer_of(["One ", CALL]), Position(9, 9, 9)) == []


@given(steps)
def test_each_event_is_where_it_happened(script: list[Step]):
    live = answer_of(script)
    text, reasoning, events = read(lacking(live, START))
    assert (text, reasoning) == (live.text, "".join(live.reasoning))
    assert events == [(event, event.text, event.reasoning) for event in live.tool_events]


@given(steps, st.data())
def test_whatever_comes_together_and_wherever_a_reader_comes_back_it_has_all_of_it_once(
    script: list[Step], data: st.DataObject
):
    whole = answer_of(script)
    sent, told = START, answer_of([])
    heard: list[Addition] = []
    for end in sorted(data.draw(st.sets(st.integers(0, len(script))))) + [len(script)]:
        so_far = answer_of(script[:end])
        news = lacking(so_far, sent, told)
        # Its connection may break behind any of them; what was lost is asked for with the position.
        kept = news[: data.draw(st.integers(0, len(news)))]
        again = lacking(so_far, kept[-1].end if kept else sent)
        assert read(kept + again, sent) == read(news, sent)
        heard += kept + again
        sent, told = end_of(so_far), so_far
    assert read(heard) == read(lacking(whole, START))
