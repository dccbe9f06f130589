"""Following an answer that another isolate generates, by its chunks: each character once, whatever the store does."""

import asyncio
from dataclasses import replace
from math import ceil
from random import Random

import pytest

from simulation.model_kv import LocationKv, World
from tests.support.following import DONE, PLAN, Following
from waypost_worker.chat.answer_events import KeepAlive, Position, TextDelta
from waypost_worker.chat.answer_stream import CONVERSATION_CHECK_SECONDS, LOST
from waypost_worker.chat.live_answer import Outcome
from waypost_worker.limits import FOLLOW_PATIENCE_SECONDS
from waypost_worker.polling.plans import PAID


async def test_chunks_from_elsewhere_are_told_as_they_come_and_the_last_one_ends_it():
    at = Following()
    await at.write("One ")
    await at.write("two ")
    hearing = asyncio.ensure_future(at.hear(at.follow_stored()))
    await asyncio.sleep(1.5)
    await at.write("three ")
    await asyncio.sleep(1)
    await at.write("four.", DONE)
    await hearing
    assert at.told == [
        TextDelta("One two ", Position(8)),
        TextDelta("three ", Position(14)),
        TextDelta("four.", Position(19)),
        DONE,
    ]
    assert [when for _, when in at.heard] == pytest.approx([0, 2, 3, 3], abs=0.1)


async def test_signs_of_life_are_not_told_and_silence_is():
    at = Following()
    hearing = asyncio.ensure_future(at.hear(at.follow_stored()))
    for _ in range(8):
        await at.write()
        await asyncio.sleep(2)
    await at.write("One.", DONE)
    await hearing
    assert at.told == [*[KeepAlive()] * 5, TextDelta("One.", Position(4)), DONE]
    # The conversation is not read while the generation shows signs of life.
    assert {operation for operation, _ in at.kv.asked} == {"list"}


async def test_an_answer_that_ended_without_a_chunk_is_found_in_the_conversation():
    at = Following()
    hearing = asyncio.ensure_future(at.hear(at.follow_stored(4)))
    await asyncio.sleep(0.5)
    await at.keep("One two.")
    await hearing
    assert at.told == [TextDelta("two.", Position(8)), Outcome("stop", 1)]
    assert at.heard[-1][1] == pytest.approx(3, abs=0.1)


async def test_an_answer_that_was_closed_as_abandoned_is_told_as_partial():
    at = Following()
    await at.write("One ")
    hearing = asyncio.ensure_future(at.hear(at.follow_stored()))
    await asyncio.sleep(5)
    await at.keep("One two ", partial=True)
    await hearing
    told = [told for told in at.told if told != KeepAlive()]
    assert told == [TextDelta("One ", Position(4)), TextDelta("two ", Position(8)), Outcome("stopped", 1)]


async def test_a_reader_checks_the_conversation_at_intervals_while_it_hears_nothing():
    at = Following()
    await at.write("One ")
    await at.hear(at.follow_stored())
    looks = [key for operation, key in at.kv.asked if key == "conv:s:"]
    assert len(looks) == 1 + ceil((FOLLOW_PATIENCE_SECONDS - 3) / CONVERSATION_CHECK_SECONDS)


async def test_a_reader_of_which_nothing_is_heard_any_more_is_told_so_after_a_while():
    at = Following()
    await at.write("One ")
    await at.hear(at.follow_stored())
    assert (at.told[0], at.told[-1]) == (TextDelta("One ", Position(4)), LOST)
    assert FOLLOW_PATIENCE_SECONDS <= at.heard[-1][1] <= FOLLOW_PATIENCE_SECONDS + CONVERSATION_CHECK_SECONDS


async def test_a_store_that_fails_for_a_while_delays_the_words_and_loses_none():
    at = Following()
    at.kv.fails = lambda *_: 2 < asyncio.get_running_loop().time() < 20
    hearing = asyncio.ensure_future(at.hear(at.follow_stored()))
    for number in range(30):
        await at.write(f"{number} ")
        await asyncio.sleep(1)
    await at.write("", DONE)
    await hearing
    assert "".join(told.text for told in at.told if isinstance(told, TextDelta)) == "".join(f"{n} " for n in range(30))
    assert at.told[-1] == DONE


async def test_a_reader_whose_operations_are_spent_ends_without_an_end():
    at = Following(replace(PAID, operations_per_invocation=20))
    await at.write("One ")
    await at.hear(at.follow_stored())
    assert [told for told in at.told if told != KeepAlive()] == [TextDelta("One ", Position(4))]
    assert at.meter.remaining == 0


async def test_a_reader_looks_as_often_as_chunks_are_written_and_beats_in_time_on_a_slow_plan():
    at = Following(replace(PLAN, chunk_ms=10_000))
    hearing = asyncio.ensure_future(at.hear(at.follow_stored()))
    await asyncio.sleep(14)
    await at.write("One.", DONE)
    await hearing
    assert [when for told, when in at.heard if told == KeepAlive()] == pytest.approx([3, 6, 9, 12, 15, 18], abs=0.1)


@pytest.mark.parametrize("seed", range(30))
async def test_whatever_the_store_does_a_follower_in_another_location_is_told_each_character_once(seed: int):
    world = World(Random(seed), 2)
    at = Following(store=LocationKv(world, 1), writer_store=LocationKv(world, 0))
    hearing = asyncio.ensure_future(at.hear(at.follow_stored(2)))
    text = ""
    for number in range(60):
        await at.write(f"{number}👋 ")
        text += f"{number}👋 "
        await asyncio.sleep(world.random.uniform(0.5, 2))
    await at.write("", DONE)
    await hearing
    said = [told for told in at.told if isinstance(told, TextDelta)]
    assert "".join(told.text for told in said) == text[2:]
    assert all(text[: told.end.text].endswith(told.text) for told in said)
    assert at.told[-1] == DONE
