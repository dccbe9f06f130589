"""Generating an answer: each delta immediately, a chunk about once a second, the whole at its place in the end."""

import asyncio
from dataclasses import replace

import pytest

from simulation.scripted_model import counted
from simulation.virtual_time import START_MS
from tests.support.generating import Generating
from waypost_worker.chat.generation import GENERATION_RESERVED_OPERATIONS, Interval
from waypost_worker.chat.live_answer import Outcome
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import ModelFailed
from waypost_worker.limits import MAX_ANSWER_CHARACTERS
from waypost_worker.models.model import Reasoning
from waypost_worker.polling.plans import PAID


async def test_what_the_model_says_is_there_for_readers_at_once():
    at = Generating(*counted(3))
    running = asyncio.ensure_future(at.run())
    seen = []
    for _ in range(3):
        await asyncio.sleep(1.001)
        seen.append((at.live.text, at.live.outcome))
    assert seen[:2] == [("1 ", None), ("1 2 ", None)]
    await running
    assert at.live.text == "1 2 3 "


async def test_a_whole_answer_is_kept_and_how_it_ended_is_said_only_then():
    at = Generating("One ", "two.")
    at.kv.fails = lambda operation, key: key.startswith("conv:") and at.clock.now_ms() < START_MS + 300
    running = asyncio.ensure_future(at.generation.run(at.model.stream([]), at.undo))
    await asyncio.sleep(0.2)
    assert (at.live.text, at.live.outcome) == ("One two.", None)
    await running
    assert at.live.outcome == Outcome("stop", 2)
    assert await at.kept() == ["assistant: One two."]


async def test_an_answer_stands_at_its_place_with_the_time_when_it_began():
    at = Generating(*counted(2))
    running = asyncio.ensure_future(at.run())
    await asyncio.sleep(1)
    await at.conversation.append([ChatMessage("later", "user", "Later", 0)])
    await running
    assert await at.kept() == ["user: Hi", "assistant: 1 2 ", "user: Later"]
    answer = (await at.conversation.read())[1]
    assert (answer.id, answer.timestamp_ms, answer.is_ui) == (at.id, START_MS, False)


async def test_an_answer_that_ends_within_a_second_costs_one_write():
    at = Generating(0.5, "One ", 0.4, "two.")
    await at.run()
    assert [operation for operation, _ in at.kv.asked] == ["put"]
    assert at.written("gen:") == []


async def test_what_is_said_is_written_once_a_second_at_most_and_all_of_it():
    at = Generating(*counted(50, 0.1))
    await at.run()
    chunks = await at.chunks()
    assert "".join(chunk.text for chunk in chunks) == at.live.text
    *earlier, last = [chunk.written_ms - START_MS for chunk in chunks]
    # The last one is written immediately.
    assert (earlier, last) == ([1000, 2000, 3000, 4000, 5000], 5000)
    assert len(chunks) == len(at.written("gen:"))


async def test_the_last_chunk_says_how_it_ended():
    at = Generating(*counted(3))
    outcome = await at.run()
    *earlier, last = await at.chunks()
    assert (last.outcome, [chunk.outcome for chunk in earlier]) == (outcome, [None] * len(earlier))


async def test_while_the_model_is_silent_there_is_a_sign_of_life_half_as_often():
    at = Generating(9.0, "One.")
    await at.run()
    silent = [chunk.written_ms - START_MS for chunk in (await at.chunks())[:-1] if not chunk.text]
    assert silent == [2000, 4000, 6000, 8000]


async def test_a_chunk_that_was_refused_is_written_again_under_its_number_with_the_same_text():
    at = Generating(*counted(12))
    # Writes are reported as refused but take effect: a reader may have seen the chunk.
    at.kv.takes_effect = True
    running = asyncio.ensure_future(at.run())
    await asyncio.sleep(1.5)
    at.fail("gen:")
    await asyncio.sleep(4)
    [before] = (await at.chunks())[1:]
    at.kv.fails = lambda *_: False
    await running
    chunks = await at.chunks()
    assert chunks[1] == before
    assert "".join(chunk.text for chunk in chunks) == at.live.text == "1 2 3 4 5 6 7 8 9 10 11 12 "
    assert "not being saved at the moment: storage_unavailable" in at.log[0]


async def test_a_chunk_that_was_refused_to_the_end_is_not_forgotten_with_the_last_one():
    at = Generating(*counted(3))
    running = asyncio.ensure_future(at.run())
    await asyncio.sleep(0.5)
    at.fail("gen:")
    # Until after the first chunk was given up, which was after the last word.
    await asyncio.sleep(4.5)
    at.kv.fails = lambda *_: False
    assert at.live.outcome is None
    await running
    chunks = await at.chunks()
    assert "".join(chunk.text for chunk in chunks) == "1 2 3 "
    assert chunks[-1].outcome == at.live.outcome


async def test_an_answer_that_ends_while_a_chunk_is_being_written_writes_it_once():
    at = Generating(*counted(2))
    running = asyncio.ensure_future(at.run())
    await asyncio.sleep(0.5)
    at.fail("gen:")
    await asyncio.sleep(2)
    at.kv.asked.clear()
    at.kv.fails = lambda *_: False
    await running
    assert at.written("gen:") == [f"gen:{at.id}:000000", f"gen:{at.id}:000001"]


async def test_slow_writes_do_not_hold_up_the_words():
    at = Generating(*counted(5))
    running = asyncio.ensure_future(at.run())
    await asyncio.sleep(0.5)
    at.fail("gen:")
    await asyncio.sleep(5)
    assert at.live.text == "1 2 3 4 5 "
    at.kv.fails = lambda *_: False
    await running


async def test_chunks_leave_enough_operations_to_keep_the_answer():
    at = Generating(*counted(60), plan=replace(PAID, operations_per_invocation=30))
    outcome = await at.run()
    assert outcome == Outcome("stop", 2)
    assert (await at.kept())[-1] == f"assistant: {at.live.text}"
    assert at.meter.remaining >= 0
    assert (await at.chunks())[-1].outcome == outcome


async def test_signs_of_life_leave_the_reserve_alone():
    plan = replace(PAID, operations_per_invocation=GENERATION_RESERVED_OPERATIONS + 3, stop_look_ms=10**9)
    at = Generating(60.0, "One.", plan=plan)
    await at.begin()
    running = asyncio.ensure_future(at.generation.run(at.model.stream([]), at.undo))
    await asyncio.sleep(59)
    assert at.meter.remaining == GENERATION_RESERVED_OPERATIONS
    await running


async def test_a_conversation_is_renewed_while_a_long_answer_is_given():
    at = Generating(*counted(300), ttl_seconds=60)
    running = asyncio.ensure_future(at.run())
    await asyncio.sleep(1)
    await at.conversation.append([ChatMessage("other", "user", "Other", 0)])
    for _ in range(9):
        await asyncio.sleep(30)
        asked, answer, other = await at.kept()
        assert (asked, other) == ("user: Hi", "user: Other")
        assert answer.endswith(" (open)")
    await running
    assert await at.kept() == ["user: Hi", f"assistant: {at.live.text}", "user: Other"]


async def test_a_conversation_is_renewed_four_times_in_its_life_and_not_for_short_answers():
    at = Generating(*counted(250), ttl_seconds=400)
    await at.run()
    # The last one is the answer itself.
    assert len(at.written("conv:")) == 2 + 1


@pytest.mark.parametrize("is_ui", [False, True])
async def test_a_renewal_has_what_was_said_so_far_and_is_open(is_ui: bool):
    at = Generating(*counted(30), ttl_seconds=60, is_ui=is_ui)
    running = asyncio.ensure_future(at.run())
    await asyncio.sleep(16.5)
    [_, answer] = await at.conversation.read()
    assert answer.content.startswith("1 2 3 4 5 ")
    assert (answer.is_open, answer.is_ui, answer.partial, answer.place) == (True, is_ui, True, at.id)
    await running


async def test_looking_for_a_stop_costs_one_operation_every_other_second():
    at = Generating(*counted(60))
    await at.run()
    looks = [key for operation, key in at.kv.asked if operation == "list"]
    assert set(looks) == {f"stop:{at.id}"}
    assert 18 <= len(looks) <= 30


async def test_a_generation_shows_that_it_is_there_while_the_model_is_silent():
    at = Generating(100.0, "One.")
    running = asyncio.ensure_future(at.run())
    await asyncio.sleep(99)
    assert at.live.is_running(at.clock.now_ms())
    await running


def test_an_interval_is_over_once_and_the_next_one_begins_when_that_is_noticed():
    rhythm = Interval(1000, 0)
    assert [rhythm.is_due(ms) for ms in (999, 1000, 1001, 1999, 2500, 3499, 3500)] == [
        False,
        True,
        False,
        False,
        True,
        False,
        True,
    ]


async def test_reasoning_is_kept_apart_in_chunks_and_in_the_answer():
    at = Generating(1.1, Reasoning("Hm. "), 1.1, Reasoning("So."), 1.1, "One ", 1.1, "two.")
    await at.run()
    chunks = await at.chunks()
    assert "".join(chunk.reasoning for chunk in chunks) == "Hm. So."
    assert "".join(chunk.text for chunk in chunks) == "One two."
    [_, answer] = await at.conversation.read()
    assert (answer.content, answer.reasoning) == ("One two.", "Hm. So.")


async def test_a_model_that_fails_after_its_reasoning_alone_has_not_answered():
    at = Generating(Reasoning("Hm."), ModelFailed("no"))
    outcome = await at.run()
    assert outcome is not None
    assert (outcome.is_undone, at.undone, await at.kept()) == (True, 1, [])


async def test_reasoning_counts_toward_the_length_of_an_answer():
    at = Generating(Reasoning("x" * (MAX_ANSWER_CHARACTERS - 1)), "y", 5, "more")
    outcome = await at.run()
    assert outcome is not None
    assert outcome.finish_reason == "length"
    assert await at.kept() == ["user: Hi", "assistant: y (partial)"]
