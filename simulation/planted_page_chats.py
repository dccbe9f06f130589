"""Planted bugs of answers that wait for outputs of the page (see `planted.py`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simulation.replaced import replaced
from waypost_worker.chat import going_on, page_calls
from waypost_worker.chat.live_answer import LiveAnswer, LiveAnswers, ThreadWatch
from waypost_worker.conversations.message import ChatMessage


def takes_outputs_twice() -> Any:
    """Outputs are taken whenever they are sent."""

    def all_calls(events: Any) -> list[Any]:
        return [event for event in events if event.kind == "call" and event.of_page]

    return replaced(page_calls, "open_page_calls", all_calls)


def goes_on_without_the_output() -> Any:
    """An answer goes on, and its outputs are forgotten."""
    return replaced(going_on, "with_results", lambda answer, results: answer)


def shows_calls_before_they_are_written() -> Any:
    """The page has a call before the answer's log has it in KV."""
    return replaced(LiveAnswer, "hold_back", lambda self: None)


def keeps_the_copy_that_waits() -> Any:
    """An answer that waited stays as it was while it goes on: its next leg is not seen."""

    def rank(self: Any) -> tuple[int, int]:
        return (2 if self.is_whole else 0 if self.is_open else 1), 0

    return replaced(ChatMessage, "rank", property(rank))


def does_not_see_that_another_page_was_faster() -> Any:
    """A page's outputs are gone on with though another page's were, while the answer was looked for."""

    @contextmanager
    def watched(self: Any, *name: str) -> Iterator[ThreadWatch]:
        yield ThreadWatch(("", ""))

    return replaced(LiveAnswers, "watched", watched)


def believes_that_all_is_visible() -> Any:
    """A call that is not visible yet is refused as one that was not made."""
    return replaced(going_on, "is_behind", lambda answer, sent: False)


PAGE_CHAT_BUGS = (
    does_not_see_that_another_page_was_faster,
    believes_that_all_is_visible,
    takes_outputs_twice,
    goes_on_without_the_output,
    shows_calls_before_they_are_written,
    keeps_the_copy_that_waits,
)
