"""Following an answer that this isolate generates: its text so far, then each delta once, then how it ended."""

import asyncio
from contextlib import aclosing

import msgspec
import pytest

from simulation.virtual_time import START_MS
from tests.support.following import DONE, Following
from waypost_worker.chat.answer_events import KeepAlive, Position, TextDelta
from waypost_worker.chat.answer_stream import LOST, ended_answer, replay
from waypost_worker.chat.live_answer import Outcome
from waypost_worker.conversations.message import ChatMessage, ToolEvent
from waypost_worker.limits import ANSWER_HEARTBEAT_SECONDS, GIVER_SILENCE_SECONDS


async def test_a_reader_is_told_what_was_said_so_far_then_each_word_then_the_end():
    at = Following()
    at.live.add("One ")
    at.live.add("two ")
    hearing = asyncio.ensure_future(at.hear(at.follow_live()))
    await asyncio.sleep(1)
    at.live.add("three ")
    await asyncio.sleep(1)
    at.live.outcome = DONE
    await hearing
    assert at.told == [TextDelta("One two ", Position(8)), TextDelta("three ", Position(14)), DONE]
    assert [at for _, at in at.heard] == pytest.approx([0, 1, 2], abs=0.05)


async def test_what_is_said_while_a_reader_is_busy_comes_next_and_once():
    at = Following()
    at.live.add("One ")
    async with aclosing(at.follow_live()) as followed:
        assert await anext(followed) == TextDelta("One ", Position(4))
        at.live.add("two ")
        assert await anext(followed) == TextDelta("two ", Position(8))
        at.live.add("three ")
        at.live.outcome = DONE
        assert [told async for told in followed] == [TextDelta("three ", Position(14)), DONE]


async def test_a_silent_answer_has_heartbeats_and_no_other_one_has():
    at = Following()
    hearing = asyncio.ensure_future(at.hear(at.follow_live()))
    for second in range(1, 24):
        at.live.seen_ms = at.clock.now_ms()
        if second > 12:
            at.live.add("x")
        await asyncio.sleep(1)
    at.live.outcome = DONE
    await hearing
    beats = [when for told, when in at.heard if told == KeepAlive()]
    assert beats == pytest.approx([ANSWER_HEARTBEAT_SECONDS * beat for beat in (1, 2, 3, 4)], abs=0.1)


async def test_a_generation_that_fell_silent_is_told_as_an_error_with_what_it_had_said():
    at = Following()
    at.live.add("One ")
    await at.hear(at.follow_live())
    assert at.told[0] == TextDelta("One ", Position(4))
    assert at.told[-1] == LOST
    assert at.heard[-1][1] == pytest.approx(GIVER_SILENCE_SECONDS, abs=0.1)


async def test_readers_are_counted_while_they_read_and_the_last_ones_leaving_is_noted():
    at = Following()
    first = asyncio.ensure_future(at.hear(at.follow_live()))
    second = asyncio.ensure_future(at.hear(at.follow_live()))
    await asyncio.sleep(1)
    assert at.live.readers == 2
    first.cancel()
    await asyncio.sleep(1)
    assert at.live.readers == 1
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert (at.live.readers, at.live.left_ms) == (0, START_MS + 2000)


async def test_following_what_is_generated_here_costs_no_operation():
    at = Following()
    hearing = asyncio.ensure_future(at.hear(at.follow_live()))
    await asyncio.sleep(10)
    at.live.outcome = DONE
    await hearing
    assert at.kv.asked == []


def test_an_open_item_has_not_ended():
    item = ChatMessage("g", "assistant", "One", 0)
    assert ended_answer([ChatMessage("other", "user", "Hi", 0), item], "g") is item
    assert ended_answer([item], "other") is None
    assert ended_answer([ChatMessage("g", "assistant", "One", 0, partial=True, is_open=True)], "g") is None


def test_an_answer_that_has_ended_is_told_from_a_character_on():
    item = ChatMessage("g", "assistant", "aé👋b", 0)
    assert replay(item, 3) == [TextDelta("aé👋b", Position(4)), Outcome("stop", 3)]
    assert replay(item, 3, Position(3)) == [TextDelta("b", Position(4)), Outcome("stop", 3)]
    assert replay(item, 3, Position(4)) == [Outcome("stop", 3)]
    assert replay(ChatMessage("g", "assistant", "a", 0, partial=True), 3, Position(9)) == [Outcome("stopped", 3)]


def test_an_answer_has_ended_for_the_readers_of_a_leg_once_that_leg_has():
    call = ToolEvent("call", "c", "pick", of_page=True)
    waiting = ChatMessage("1", "assistant", "One ", 0, partial=True, tool_events=[call])
    going_on = msgspec.structs.replace(waiting, is_open=True, leg="2")
    whole = msgspec.structs.replace(going_on, partial=False, is_open=False)
    assert ended_answer([waiting], "1") is waiting
    assert ended_answer([waiting], "1", "2") is None
    assert ended_answer([going_on], "1", "2") is None
    assert ended_answer([whole], "1", "2") is whole
    assert ended_answer([going_on], "1") is going_on
