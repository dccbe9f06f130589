"""What an answer's tools did is kept with it, in whatever becomes of the answer."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import msgspec
import pytest

from simulation.virtual_time import START_MS
from tests.support.generating import Generating
from waypost_worker.chat.turn import Turn, is_message
from waypost_worker.conversations.message import ChatMessage, ToolEvent
from waypost_worker.conversations.window import Window, shown_of
from waypost_worker.errors import ModelFailed
from waypost_worker.limits import MAX_ANSWER_CHARACTERS
from waypost_worker.models.model import Piece

CALL = ToolEvent("call", "c1", "add", {"n": 1})
RESULT = ToolEvent("result", "c1", value="ok")

Step = str | float | ToolEvent | Exception


class Using(Generating):
    """A generation whose model uses tools by a script."""

    async def use(self, *steps: Step) -> None:
        await self.run(self._pieces(steps))

    async def _pieces(self, steps: Sequence[Step]) -> AsyncGenerator[Piece, None]:
        for step in steps:
            if isinstance(step, ToolEvent):
                self.live.add_tool_event(step)
            elif isinstance(step, str):
                yield step
            elif isinstance(step, Exception):
                raise step
            else:
                await asyncio.sleep(step)

    async def answer(self) -> ChatMessage:
        return (await self.conversation.read())[-1]


def at_place(event: ToolEvent, text: int) -> ToolEvent:
    return msgspec.structs.replace(event, text=text)


async def test_the_answer_is_kept_with_what_its_tools_did_and_where():
    at = Using()
    await at.use("One ", CALL, RESULT, "two.")
    answer = await at.answer()
    assert (answer.content, answer.tool_events) == ("One two.", [at_place(CALL, 4), at_place(RESULT, 4)])


async def test_chunks_have_what_happened_since_the_one_before():
    at = Using()
    await at.use("One ", CALL, 1.5, RESULT, "two.", 1.5, "!")
    chunks = await at.chunks()
    told = [(chunk.text, [event.kind for event in chunk.tool_events]) for chunk in chunks]
    assert told == [("One ", ["call"]), ("two.", ["result"]), ("!", []), ("", [])]


async def test_an_answer_that_only_called_a_tool_is_kept_when_it_is_stopped():
    at = Using()
    running = asyncio.ensure_future(at.use(CALL, 60.0))
    await asyncio.sleep(1.5)
    at.live.stop_requested = True
    await running
    answer = await at.answer()
    assert (answer.partial, answer.is_open, answer.tool_events) == (True, False, [CALL])


async def test_a_model_that_fails_after_a_call_takes_nothing_back():
    at = Using()
    await at.use(CALL, RESULT, ModelFailed("No."))
    assert at.undone == 0
    answer = await at.answer()
    assert (answer.partial, answer.tool_events) == (True, [CALL, RESULT])


async def test_what_tools_return_counts_in_the_length_of_an_answer():
    at = Using()
    await at.use(CALL, at_place(msgspec.structs.replace(RESULT, value="x" * MAX_ANSWER_CHARACTERS), 0), "Never.", "No.")
    outcome = at.live.outcome
    assert outcome is not None
    assert (outcome.finish_reason, at.live.text) == ("length", "Never.")


async def test_the_open_answer_that_is_written_again_has_them():
    at = Using(ttl_seconds=60)
    running = asyncio.ensure_future(at.use(CALL, RESULT, 40.0, "Done."))
    await asyncio.sleep(35)
    for key in await at.keys("gen:"):
        await at.kv.kv.delete(key)
    open_answer = await at.answer()
    assert (open_answer.is_open, open_answer.tool_events) == (True, [CALL, RESULT])
    await running


@pytest.mark.parametrize(("events", "counts"), [([], False), ([CALL], True)])
def test_an_answer_without_text_is_a_message_if_it_called_a_tool(events: list[ToolEvent], counts: bool):
    answer = ChatMessage("a", "assistant", "", START_MS, partial=True, tool_events=events)
    assert is_message(answer) is counts
    question = ChatMessage("q", "user", "Hi", START_MS)
    assert Turn([question, answer], question, "g", is_ui=False, limit=10).previous_count == 1 + counts


def test_the_bytes_of_a_window_count_them():
    old = ChatMessage("a", "assistant", "One.", 0)
    new: Any = ChatMessage("b", "assistant", "Two.", 0, tool_events=[msgspec.structs.replace(RESULT, value="x" * 500)])
    assert shown_of([old, new], Window(10, 1000)) == ([old, new], False)
    assert shown_of([old, new], Window(10, 500)) == ([new], True)
