"""Following an answer from a character on, generated here or in another isolate: each character once, then the end."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from tests.support.following import DONE, Following
from waypost_worker.chat.answer_events import AnswerEvent, Position, ReasoningDelta, TextDelta, ToolUpdate
from waypost_worker.chat.answer_stream import replay
from waypost_worker.chat.live_answer import Outcome
from waypost_worker.conversations.message import ChatMessage, ToolEvent
from waypost_worker.models.model import Reasoning


class Live(Following):
    """An answer that this isolate generates."""

    def follow(self, start: int = 0, reasoning: int = 0, tools: int = 0) -> AsyncGenerator[AnswerEvent, None]:
        return self.follow_live(start, reasoning, tools)

    async def say(self, text: str) -> None:
        self.live.add(text)

    async def think(self, text: str) -> None:
        self.live.add(Reasoning(text))

    async def use(self, event: ToolEvent) -> None:
        self.live.add_tool_event(event)

    async def end(self, text: str = "") -> None:
        if text:
            self.live.add(text)
        self.live.outcome = DONE


class Stored(Following):
    """An answer that another isolate generates."""

    def follow(self, start: int = 0, reasoning: int = 0, tools: int = 0) -> AsyncGenerator[AnswerEvent, None]:
        return self.follow_stored(start, reasoning, tools)

    async def think(self, text: str) -> None:
        await self.write(reasoning=text)

    async def use(self, event: ToolEvent) -> None:
        await self.write(events=[event])

    async def say(self, text: str) -> None:
        await self.write(text)

    async def end(self, text: str = "") -> None:
        await self.write(text, DONE)


Answer = type[Live] | type[Stored]
both = pytest.mark.parametrize("answer", [Live, Stored])


@both
async def test_a_last_word_comes_before_the_end(answer: Answer):
    at = answer()
    await at.say("One ")
    await at.end("two.")
    assert await at.hear(at.follow()) == [TextDelta("One two.", Position(8)), DONE]


@both
async def test_an_answer_without_a_word_is_only_an_end(answer: Answer):
    at = answer()
    await at.end()
    assert await at.hear(at.follow()) == [DONE]


@both
@pytest.mark.parametrize(("start", "told"), [(0, "aé👋b"), (1, "é👋b"), (2, "👋b"), (3, "b"), (4, ""), (9, "")])
async def test_a_reader_goes_on_at_the_character_it_has(start: int, told: str, answer: Answer):
    at = answer()
    await at.say("aé")
    await at.end("👋b")
    assert await at.hear(at.follow(start)) == [*([TextDelta(told, Position(4))] if told else []), DONE]


@both
async def test_a_reader_that_has_more_than_was_said_yet_waits_for_what_is_new_to_it(answer: Answer):
    at = answer()
    hearing = asyncio.ensure_future(at.hear(at.follow(5)))
    for delta in ("One ", "two ", "three "):
        await at.say(delta)
        await asyncio.sleep(1.1)
    await at.end()
    await hearing
    assert at.told == [TextDelta("wo ", Position(8)), TextDelta("three ", Position(14)), DONE]


@both
async def test_reasoning_comes_apart_from_the_text_and_each_position_counts_both(answer: Answer):
    at = answer()
    hearing = asyncio.ensure_future(at.hear(at.follow()))
    for step in (at.think("Hm. "), at.think("So."), at.say("One "), at.say("two.")):
        await step
        await asyncio.sleep(1.1)
    await at.end()
    await hearing
    assert at.told == [
        ReasoningDelta("Hm. ", Position(0, 4)),
        ReasoningDelta("So.", Position(0, 7)),
        TextDelta("One ", Position(4, 7)),
        TextDelta("two.", Position(8, 7)),
        DONE,
    ]


@both
@pytest.mark.parametrize(
    ("start", "events"),
    [
        (Position(0, 0), [ReasoningDelta("aé👋b", Position(0, 4)), TextDelta("Yes", Position(3, 4))]),
        (Position(0, 2), [ReasoningDelta("👋b", Position(0, 4)), TextDelta("Yes", Position(3, 4))]),
        (Position(0, 4), [TextDelta("Yes", Position(3, 4))]),
        (Position(2, 4), [TextDelta("s", Position(3, 4))]),
        (Position(3, 4), []),
        (Position(1, 9), [TextDelta("es", Position(3, 9))]),
    ],
)
async def test_a_reader_goes_on_where_it_is_in_the_reasoning(
    start: Position, events: list[AnswerEvent], answer: Answer
):
    at = answer()
    await at.think("aé👋b")
    await at.end("Yes")
    assert await at.hear(at.follow(*start)) == [*events, DONE]
    kept = ChatMessage("g", "assistant", "Yes", 0, reasoning="aé👋b")
    assert replay(kept, 2, start) == [*events, Outcome("stop", 2)]


CALL = ToolEvent("call", "c1", "add", {"n": 1}, text=4, reasoning=3)
HALF = ToolEvent("progress", "c1", value=0.5, text=4, reasoning=3)
RESULT = ToolEvent("result", "c1", value="ok", text=4, reasoning=3)
WITH_TOOLS = [
    ReasoningDelta("Hm.", Position(0, 3)),
    TextDelta("One ", Position(4, 3)),
    ToolUpdate(CALL, Position(4, 3, 1)),
    ToolUpdate(HALF, Position(4, 3, 2)),
    ToolUpdate(RESULT, Position(4, 3, 3)),
    ReasoningDelta("So.", Position(4, 6, 3)),
    TextDelta("two.", Position(8, 6, 3)),
]


@both
async def test_what_tools_did_comes_in_its_order_as_it_happens(answer: Answer):
    at = answer()
    hearing = asyncio.ensure_future(at.hear(at.follow()))
    for step in (
        at.think("Hm."),
        at.say("One "),
        at.use(CALL),
        at.use(HALF),
        at.use(RESULT),
        at.think("So."),
        at.say("two."),
    ):
        await step
        await asyncio.sleep(1.1)
    await at.end()
    await hearing
    assert at.told == [*WITH_TOOLS, DONE]


@both
@pytest.mark.parametrize("number", range(len(WITH_TOOLS) + 1))
async def test_a_reader_that_comes_late_or_again_gets_what_is_left_in_the_same_order(number: int, answer: Answer):
    at = answer()
    await at.think("Hm.")
    await at.say("One ")
    for event in (CALL, HALF, RESULT):
        await at.use(event)
    await at.think("So.")
    await at.end("two.")
    start = WITH_TOOLS[number - 1].end if number else Position()
    assert await at.hear(at.follow(*start)) == [*WITH_TOOLS[number:], DONE]
    kept = ChatMessage("g", "assistant", "One two.", 0, reasoning="Hm.So.", tool_events=[CALL, HALF, RESULT])
    assert replay(kept, 2, start) == [*WITH_TOOLS[number:], Outcome("stop", 2)]


async def test_text_and_tools_of_one_chunk_come_in_their_order():
    at = Stored()
    await at.write("One two.", reasoning="Hm.So.", events=[CALL, HALF, RESULT])
    await at.end()
    assert await at.hear(at.follow()) == [*WITH_TOOLS, DONE]
