"""How a generation ends: it has no reader any more, it is stopped, the model or the store fails."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from simulation.scripted_model import Step, counted
from simulation.virtual_time import START_MS
from tests.support.generating import PLAN, Generating
from waypost_worker.chat.chunks import ChunkStore
from waypost_worker.chat.live_answer import Outcome
from waypost_worker.errors import ModelFailed, ModelTimedOut, StorageUnavailable, WaypostError
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.limits import ANSWER_GRACE_SECONDS, GIVER_SILENCE_SECONDS, MAX_ANSWER_CHARACTERS, MAX_ANSWER_SECONDS
from waypost_worker.models.model import AnswerCutOff


async def test_an_answer_goes_on_without_a_reader_for_as_long_as_the_platform_allows():
    at = Generating(*counted(100))
    running = asyncio.ensure_future(at.run())
    await asyncio.sleep(2.5)
    at.leave()
    await asyncio.sleep(ANSWER_GRACE_SECONDS - 0.2)
    assert at.live.outcome is None
    await asyncio.sleep(0.4)
    assert at.live.outcome == Outcome("stopped", 2)
    await running
    assert (await at.kept())[-1] == f"assistant: {at.live.text} (partial)"
    assert at.live.text.endswith(" 27 ")
    assert at.model.ended == 1


async def test_an_answer_that_ends_in_that_time_is_whole():
    at = Generating(*counted(20))
    running = asyncio.ensure_future(at.run())
    await asyncio.sleep(2.5)
    at.leave()
    await running
    assert at.live.outcome == Outcome("stop", 2)


async def test_a_stop_ends_the_model_and_keeps_what_was_said():
    at = Generating(*counted(100))
    running = asyncio.ensure_future(at.run())
    await asyncio.sleep(2.5)
    at.live.stop_requested = True
    await asyncio.sleep(0.2)
    assert running.done()
    assert at.live.outcome == Outcome("stopped", 2)
    assert await at.kept() == ["user: Hi", "assistant: 1 2  (partial)"]
    assert at.model.ended == 1


async def test_an_answer_that_is_stopped_before_its_first_word_is_none():
    at = Generating(10.0, "One.")
    running = asyncio.ensure_future(at.run())
    await asyncio.sleep(3)
    at.live.stop_requested = True
    await running
    assert at.live.outcome == Outcome("stopped", 1)
    assert at.undone == 0
    assert await at.kept() == ["user: Hi"]
    assert (await at.chunks())[-1].outcome == at.live.outcome


async def test_a_stop_from_elsewhere_is_noticed_at_the_next_look():
    at = Generating(*counted(100))
    running = asyncio.ensure_future(at.run())
    await asyncio.sleep(5)
    await ChunkStore(at.kv.kv, at.id).request_stop()
    await asyncio.sleep((PLAN.stop_look_ms + PLAN.chunk_ms) / 1000 + 0.2)
    assert at.live.outcome == Outcome("stopped", 2)
    await running


async def test_a_model_that_does_not_end_is_cut_off_at_the_greatest_length():
    at = Generating(*["x" * (MAX_ANSWER_CHARACTERS // 2)] * 3)
    assert await at.run() == Outcome("length", 2)
    assert at.live.characters == MAX_ANSWER_CHARACTERS


async def test_a_model_that_goes_on_and_on_is_cut_off_at_the_longest_time():
    at = Generating(*counted(1000), plan=replace(PLAN, chunk_ms=60_000))
    assert await at.run() == Outcome("length", 2)
    assert at.clock.now_ms() - START_MS == pytest.approx(MAX_ANSWER_SECONDS * 1000, abs=200)
    assert (await at.kept())[-1].endswith(" (partial)")


@pytest.mark.parametrize("failure", [ModelFailed("No."), ModelTimedOut("No.")])
async def test_a_model_that_fails_before_its_first_word_leaves_nothing(failure: WaypostError):
    at = Generating(0.5, failure)
    assert await at.run() == Outcome("error", 0, failure.code, "No.", is_undone=True)
    assert (at.undone, await at.kept(), at.written("gen:")) == (1, [], [])


async def test_a_model_that_fails_after_long_thought_ends_the_chunks_too_and_says_when_to_come_back():
    failure = ModelFailed("No.")
    failure.retry_after_seconds = 7
    at = Generating(8.0, failure)
    outcome = await at.run()
    assert outcome == Outcome("error", 0, "model_failed", "No.", True, 7)
    assert (await at.chunks())[-1].outcome == outcome


async def test_what_was_asked_is_taken_back_before_the_failure_is_told():
    at = Generating(ModelFailed("No."))
    at.kv.fails = lambda operation, key: at.undone == 1 and at.clock.now_ms() < START_MS + 300
    running = asyncio.ensure_future(at.run())
    await asyncio.sleep(0.2)
    assert (at.undone, at.live.outcome) == (1, None)
    await running
    assert at.live.outcome is not None


async def test_a_model_that_fails_after_its_first_word_leaves_a_partial_answer():
    at = Generating("One ", 2.0, ModelTimedOut("It took too long."))
    outcome = await at.run()
    assert outcome == Outcome("error", 2, "model_timed_out", "It took too long.")
    assert at.undone == 0
    assert await at.kept() == ["user: Hi", "assistant: One  (partial)"]
    assert (await at.chunks())[-1].outcome == outcome


async def test_what_the_models_side_said_is_for_the_operator_alone():
    at = Generating("One ", ModelFailed("No.", "key sk-123 was refused"))
    outcome = await at.run()
    assert at.log == ["model_failed: key sk-123 was refused"]
    assert outcome == Outcome("error", 2, "model_failed", "No.")


async def test_a_failure_that_says_nothing_more_is_not_logged():
    at = Generating(ModelFailed("No."))
    await at.run()
    assert at.log == []


@pytest.mark.parametrize("first", [[], ["One "]])
async def test_a_model_that_breaks_off_unexpectedly_is_logged_and_told_in_general(first: list[Step]):
    at = Generating(*first, ValueError("secret"))
    await at.run()
    [line] = at.log
    assert "Traceback" in line
    assert "secret" in line
    count = 2 if first else 0
    assert at.live.outcome == Outcome("error", count, "model_failed", "The model broke off.", is_undone=not first)


async def test_a_model_that_ends_badly_when_it_is_stopped_was_stopped_anyway():
    async def stubborn() -> AsyncGenerator[str, None]:
        yield "One "
        try:
            await asyncio.sleep(100)
        finally:
            raise StorageUnavailable("in the middle of it")

    at = Generating()
    running = asyncio.ensure_future(at.run(stubborn()))
    await asyncio.sleep(1)
    at.live.stop_requested = True
    await running
    assert at.live.outcome == Outcome("stopped", 2)


async def test_a_store_that_refuses_to_keep_the_answer_is_an_error():
    at = Generating(*counted(3))
    running = asyncio.ensure_future(at.run())
    await asyncio.sleep(0.5)
    at.fail("conv:")
    await running
    assert at.live.outcome is not None
    assert (at.live.outcome.finish_reason, at.live.outcome.error_code) == ("error", "storage_unavailable")
    assert at.log == ["an answer was not kept: storage_unavailable"]
    # The text is still in the chunks.
    assert "".join(chunk.text for chunk in await at.chunks()) == "1 2 3 "


async def test_a_store_that_refuses_to_take_the_question_back_is_logged_and_the_model_is_blamed():
    at = Generating(0.5, ModelFailed("No."))
    running = asyncio.ensure_future(at.run())
    await asyncio.sleep(0.1)
    at.fail("conv:")
    await running
    assert at.live.outcome == Outcome("error", 0, "model_failed", "No.", is_undone=True)
    assert at.log == ["a question without an answer was not taken back: storage_unavailable"]


async def test_a_last_chunk_that_is_refused_costs_nothing_but_a_line_in_the_log():
    at = Generating(*counted(3))
    running = asyncio.ensure_future(at.run())
    await asyncio.sleep(2.5)
    at.fail("gen:")
    await running
    assert at.live.outcome == Outcome("stop", 2)
    assert at.log[-1] == "the last chunk of an answer was not written: storage_unavailable"


async def test_an_answer_that_the_model_had_to_cut_off_is_partial_and_no_failure():
    at = Generating("Hello", AnswerCutOff("length"))
    assert await at.run() == Outcome("length", 2)
    assert await at.kept() == ["user: Hi", "assistant: Hello (partial)"]
    assert at.undone == 0


class SlowKv(MemoryKv):
    """A store that takes its time for each write."""

    async def put(self, key: str, value: str, *, ttl_seconds: int, metadata: str | None = None) -> None:
        await asyncio.sleep(GIVER_SILENCE_SECONDS / 2 + 3)
        await super().put(key, value, ttl_seconds=ttl_seconds, metadata=metadata)


async def test_a_generation_whose_store_is_slow_at_the_end_is_not_counted_as_lost():
    at = Generating(*counted(3))
    at.kv.kv = SlowKv(at.clock)
    running = asyncio.ensure_future(at.generation.run(at.model.stream([]), at.undo))
    while not running.done():
        assert at.live.is_running(at.clock.now_ms())
        await asyncio.sleep(1)
    # A chunk, the answer, and the last chunk.
    assert at.clock.now_ms() - START_MS > 3 * GIVER_SILENCE_SECONDS * 500
