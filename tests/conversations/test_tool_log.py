"""An answer cut at the places of its tool events."""

from waypost_worker.conversations.message import ToolEvent
from waypost_worker.conversations.tool_log import Segment, segments

CALL = ToolEvent("call", "c1", "add", {"n": 1}, text=4, reasoning=2)
RESULT = ToolEvent("result", "c1", value="ok", text=4, reasoning=2)
NEXT = ToolEvent("call", "c2", "add", {"n": 2}, text=8, reasoning=2, step=1)


def test_an_answer_without_events_is_one_segment():
    assert list(segments("One", "Hm", [])) == [Segment("Hm", "One", None)]
    assert list(segments("", "", [])) == [Segment("", "", None)]


def test_each_event_has_what_was_generated_since_the_one_before():
    assert list(segments("One two. End", "Hm!", [CALL, RESULT, NEXT])) == [
        Segment("Hm", "One ", CALL),
        Segment("", "", RESULT),
        Segment("", "two.", NEXT),
        Segment("!", " End", None),
    ]


def test_the_end_of_an_answer_is_cut_at_the_same_places():
    assert list(segments("two. End", "!", [RESULT, NEXT], text_start=4, reasoning_start=2)) == [
        Segment("", "", RESULT),
        Segment("", "two.", NEXT),
        Segment("!", " End", None),
    ]


def test_places_that_are_not_possible_lose_nothing_and_repeat_nothing():
    back = ToolEvent("progress", "c1", text=1, reasoning=0)
    beyond = ToolEvent("result", "c1", text=99, reasoning=99)
    assert list(segments("One two", "Hm!", [CALL, back, beyond, CALL])) == [
        Segment("Hm", "One ", CALL),
        Segment("", "", back),
        Segment("!", "two", beyond),
        Segment("", "", CALL),
        Segment("", "", None),
    ]
