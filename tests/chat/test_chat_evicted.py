"""An isolate that the platform ends in the middle of an answer: what is left of it, and that the thread goes on."""

import asyncio

import pytest

from simulation.client import make_client
from simulation.scripted_model import Script, counted
from tests.support.chats import Chats, text_of
from waypost_worker.chat.unfinished import MISSED_INTERVALS
from waypost_worker.errors import ModelFailed
from waypost_worker.kv.delegating import DelegatingKv
from waypost_worker.kv.store import ListPage
from waypost_worker.limits import FOLLOW_PATIENCE_SECONDS, REORDER_WINDOW_SECONDS
from waypost_worker.polling.plans import PAID

COUNTED = counted(60)

ABANDONED_SECONDS = PAID.chunk_ms * MISSED_INTERVALS / 1000 + 2.5
"""After which an isolate that was ended is known to be gone: the last sign of life may be two seconds old, or none."""


async def evicted(*later: Script, first: Script = COUNTED) -> Chats:
    """A thread whose generating isolate was ended after 3.5 seconds."""
    at = Chats(first, *later)
    asking = asyncio.ensure_future(at.open("First?", messageId="m1"))
    await asyncio.sleep(3.5)
    at.evict()
    asking.cancel()
    return at


async def test_the_history_shows_what_was_said_until_the_last_second():
    at = await evicted()
    assert await at.history() == ["user: First?", "assistant: 1 2 3  (open)"]
    assert (await at.items())[1].partial


async def test_a_question_is_refused_until_the_answerer_is_known_to_be_gone():
    at = await evicted(["Second."])
    problem = await at.refused("Second?")
    assert problem["generationId"] == (await at.items())[1].id
    await asyncio.sleep(ABANDONED_SECONDS)
    await at.turn("Second?")
    assert await at.history() == [
        "user: First?",
        "assistant: 1 2 3  (partial)",
        "user: Second?",
        "assistant: Second.",
    ]


async def test_the_next_question_closes_the_abandoned_answer_for_good():
    at = await evicted(["Second."])
    await asyncio.sleep(ABANDONED_SECONDS)
    await at.turn("Second?")
    for key in await at.keys("gen:"):
        await at.kv.kv.delete(key)
    assert (await at.history())[1] == "assistant: 1 2 3  (partial)"
    assert [item.content for item in at.model.asked[1]] == ["First?", "1 2 3 ", "Second?"]


async def test_what_was_said_of_an_abandoned_answer_is_kept_however_late_the_next_question_comes():
    at = await evicted(["Second."])
    await asyncio.sleep(REORDER_WINDOW_SECONDS + ABANDONED_SECONDS)
    await at.turn("Second?")
    assert (await at.history())[:2] == ["user: First?", "assistant: 1 2 3  (partial)"]


async def test_an_abandoned_answer_without_a_word_vanishes():
    at = await evicted(["Second."], first=[60.0, "Never."])
    await asyncio.sleep(ABANDONED_SECONDS)
    stream = await at.turn("Second?")
    assert await at.history() == ["user: First?", "user: Second?", "assistant: Second."]
    assert [item.content for item in at.model.asked[1]] == ["First?\n\nSecond?"]
    assert stream.data("done")[0]["messageCount"] == 3


async def test_an_abandoned_question_that_is_asked_again_is_answered_again():
    at = await evicted(["Whole."])
    await asyncio.sleep(ABANDONED_SECONDS)
    await at.turn("First?", messageId="m1")
    assert await at.history() == ["user: First?", "assistant: Whole."]


async def test_what_was_abandoned_is_back_if_the_model_fails_then():
    at = await evicted([ModelFailed("No.")])
    await asyncio.sleep(ABANDONED_SECONDS)
    await at.failed("First?", messageId="m1")
    assert await at.history() == ["user: First?", "assistant: 1 2 3  (partial)"]


async def test_who_comes_back_soon_has_the_words_and_is_told_after_a_while_that_there_are_no_more():
    at = await evicted()
    stream = await at.resumed()
    await stream.until_over()
    assert text_of(stream) == "1 2 3 "
    assert stream.data("error")[0]["code"] == "answer_broken_off"
    done = stream.data("done")[0]
    assert (done["finishReason"], done["partial"]) == ("error", True)
    assert stream.events[-1].at == pytest.approx(FOLLOW_PATIENCE_SECONDS, abs=15)


async def test_who_comes_back_later_finds_that_nothing_runs():
    at = await evicted()
    await asyncio.sleep(ABANDONED_SECONDS)
    assert await at.resume() is None
    assert await at.stop() == {"stopped": False, "generationId": None}


async def test_who_comes_back_later_with_a_place_has_the_rest_that_was_saved():
    at = await evicted()
    await asyncio.sleep(ABANDONED_SECONDS)
    stream = await at.resumed(last=f"{(await at.items())[1].id}.2")
    await stream.until_over()
    assert text_of(stream) == "2 3 "
    assert stream.data("error")[0]["code"] == "answer_broken_off"
    assert stream.data("done")[0]["finishReason"] == "error"


async def test_a_follower_is_told_when_the_answer_was_closed_by_the_next_question():
    at = await evicted(["Second."])
    stream = await at.resumed()
    await asyncio.sleep(ABANDONED_SECONDS)
    await at.turn("Second?")
    await stream.until_over()
    assert stream.data("done")[0]["finishReason"] == "stopped"
    assert stream.data("error") == []


async def test_an_answer_whose_chunks_are_not_seen_far_away_is_kept_whole_although_it_seemed_abandoned_there():
    at = Chats([8.0, "First ", 5.0, "answer."], ["Second."])
    far_away = make_client(at.settings, WithoutChunks(at.kv), seed=5, model=at.model)
    asking = asyncio.ensure_future(at.turn("First?"))
    await asyncio.sleep(7)
    await at.turn("Second?", far_away)
    await asking
    assert await at.history() == [
        "user: First?",
        "assistant: First answer.",
        "user: Second?",
        "assistant: Second.",
    ]


async def test_an_abandoned_answer_without_a_word_is_dropped_once_nobody_can_still_be_seen_to_give_it():
    at = await evicted(["Second."], ["Third."], first=[60.0, "Never."])
    await asyncio.sleep(ABANDONED_SECONDS)
    await at.turn("Second?")
    assert any(item.is_open for item in await at.conversation().read())
    await asyncio.sleep(REORDER_WINDOW_SECONDS)
    await at.turn("Third?")
    assert not any(item.is_open for item in await at.conversation().read())


class WithoutChunks(DelegatingKv):
    """The store as it is seen where no chunk of an answer shows up in time."""

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        if prefix.startswith("gen:"):
            return ListPage(())
        return await super().list(prefix, cursor=cursor, limit=limit)
