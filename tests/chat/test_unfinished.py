"""Open answers: the text so far, and whether a generation is still running."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from msgspec.structs import replace as changed

from simulation.virtual_time import START_MS, run
from tests.support.builders import SetClock
from tests.support.namespace import Namespace
from waypost_worker.chat.chunks import Chunk, ChunkStore
from waypost_worker.chat.live_answer import Outcome
from waypost_worker.chat.unfinished import MISSED_INTERVALS, Unfinished, as_partial, fill_in, inspect
from waypost_worker.conversations.message import ChatMessage, ToolEvent
from waypost_worker.polling.plans import PAID

PLAN = replace(PAID, chunk_ms=1000)
ITEM = ChatMessage("g", "assistant", "", START_MS, partial=True, is_open=True, is_ui=True, place="0001")
WHOLE = ChatMessage("a", "assistant", "Whole.", START_MS)


class Setting(Namespace[SetClock]):
    """One open answer."""

    def __init__(self) -> None:
        super().__init__(SetClock())

    def chunks(self, generation_id: str = "g") -> ChunkStore:
        return ChunkStore(self.kv, generation_id)

    async def look(self, item: ChatMessage = ITEM) -> Unfinished:
        return await inspect(item, self.chunks(), self.clock, PLAN)


async def after(seconds: float, *chunks: Chunk, item: ChatMessage = ITEM) -> Unfinished:
    at = Setting()
    for number, chunk in enumerate(chunks):
        await at.chunks().write(number, chunk)
    at.clock.ms += round(seconds * 1000)
    return await at.look(item)


def at(
    seconds: float,
    text: str = "",
    outcome: Outcome | None = None,
    reasoning: str = "",
    events: Sequence[ToolEvent] = (),
) -> Chunk:
    return Chunk(START_MS + round(seconds * 1000), text, outcome, reasoning=reasoning, tool_events=list(events))


async def test_an_open_answer_has_the_text_of_its_chunks():
    found = await after(2, at(1, "One "), at(2, "two"))
    assert found == Unfinished(changed(ITEM, content="One two"), True)


async def test_an_open_answer_has_the_reasoning_of_its_chunks():
    found = await after(2, at(1, reasoning="Hm. "), at(2, "One", reasoning="So."))
    assert found.item == changed(ITEM, content="One", reasoning="Hm. So.")


async def test_an_open_answer_has_what_its_tools_did_of_its_chunks_or_its_own_whichever_is_more():
    call, result = ToolEvent("call", "c1", "add"), ToolEvent("result", "c1")
    found = await after(2, at(1, events=[call]), at(2, "One", events=[result]))
    assert found.item == changed(ITEM, content="One", tool_events=[call, result])
    assert (await after(1, at(1), item=changed(ITEM, tool_events=[call]))).item.tool_events == [call]
    more = await after(2, at(1, events=[call]), at(2, events=[result]), item=changed(ITEM, tool_events=[call]))
    assert more.item.tool_events == [call, result]


async def test_an_answer_without_a_word_is_shown_once_it_called_a_tool():
    setting = Setting()
    call = ToolEvent("call", "c1", "add")
    await setting.chunks().write(0, at(1, events=[call]))
    assert await fill_in([ITEM], setting.chunks, setting.clock, PLAN) == [changed(ITEM, tool_events=[call])]


def test_the_longer_of_text_and_chunks_counts_since_either_may_show_up_late():
    assert run(after(1, at(1, "One "), item=changed(ITEM, content="One two"))).item.content == "One two"
    assert run(after(1, at(1, "One two"), item=changed(ITEM, content="One "))).item.content == "One two"


@pytest.mark.parametrize("chunks", [(), (at(3, "One "),), (at(1, "One "), at(3))])
def test_an_answer_is_abandoned_after_some_intervals_without_a_sign_of_life(chunks: tuple[Chunk, ...]):
    heard = 3 if chunks else 0
    assert run(after(heard + MISSED_INTERVALS - 0.001, *chunks)).is_alive
    assert not run(after(heard + MISSED_INTERVALS, *chunks)).is_alive


def test_an_answer_whose_last_chunk_says_how_it_ended_is_not_running():
    assert not run(after(1, at(1, "One", Outcome("stop")))).is_alive


async def test_looking_at_an_answer_of_small_chunks_costs_one_operation():
    at = Setting()
    await at.look()
    assert at.kv.asked == [("list", "gen:g:")]


async def test_open_answers_among_messages_are_filled_in_and_still_open():
    setting = Setting()
    await setting.chunks().write(0, at(1, "One "))
    shown = await fill_in([WHOLE, ITEM], setting.chunks, setting.clock, PLAN)
    assert shown == [WHOLE, changed(ITEM, content="One ")]


async def test_messages_without_an_open_answer_are_shown_at_no_cost():
    setting = Setting()
    messages = [WHOLE, changed(WHOLE, partial=True), changed(WHOLE, content="")]
    assert await fill_in(messages, setting.chunks, setting.clock, PLAN) == messages
    assert setting.kv.asked == []


def test_an_abandoned_answer_is_a_partial_one_at_its_place():
    assert as_partial(ITEM) == ChatMessage("g", "assistant", "", START_MS, partial=True, place="0001")
    assert as_partial(changed(ITEM, partial=False)).partial


async def test_an_answer_without_a_word_is_not_shown_yet():
    setting = Setting()
    assert await fill_in([WHOLE, ITEM], setting.chunks, setting.clock, PLAN) == [WHOLE]
