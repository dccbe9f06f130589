"""Stopping an answer, in the isolate that generates it and from another one."""

import asyncio

import pytest

from simulation.scripted_model import counted
from tests.support.chats import ADA, HELLO, THREAD, Chats, ends, text_of
from waypost_worker.polling.plans import PAID

everywhere = pytest.mark.parametrize("place", ["here", "elsewhere"])

STOP_SECONDS = (PAID.stop_look_ms + PAID.chunk_ms) / 1000 + 0.5
"""After which a stop from elsewhere has been noticed."""


@everywhere
async def test_a_stop_ends_the_answer_for_all_readers_and_keeps_what_was_said(place: str):
    at = Chats(counted(60))
    readers = [await at.ask(), await at.resumed(), await at.resumed(at.elsewhere)]
    await asyncio.sleep(4)
    generation_id = readers[0].data("start")[0]["generationId"]
    assert await at.stop(at.isolate(place)) == {"stopped": True, "generationId": generation_id}
    await asyncio.sleep(STOP_SECONDS + 1)
    assert all(reader.is_over for reader in readers)
    assert [ends(reader) for reader in readers] == [("stopped", True)] * 3
    said = {text_of(reader) for reader in readers}
    assert len(said) == 1
    assert await at.history() == ["user: Hi", f"assistant: {said.pop()} (partial)"]
    assert at.model.ended == 1


async def test_a_stop_in_the_isolate_that_answers_returns_as_soon_as_the_answer_has_ended():
    at = Chats(counted(60))
    await at.ask()
    before = at.clock.now_ms()
    await at.stop()
    assert at.clock.now_ms() - before < 500
    assert (await at.history())[1] == "assistant: 1  (partial)"
    assert await at.resume() is None


@everywhere
async def test_a_stop_that_names_the_answer_stops_it(place: str):
    at = Chats(counted(60))
    stream = await at.ask()
    generation_id = stream.data("start")[0]["generationId"]
    stopped = await at.stop(at.isolate(place), generationId=generation_id)
    assert stopped == {"stopped": True, "generationId": generation_id}
    await stream.until_over()
    assert ends(stream) == ("stopped", True)


@everywhere
async def test_a_stop_that_names_an_older_answer_does_nothing(place: str):
    at = Chats(["Old."], counted(6))
    old = (await at.turn()).data("start")[0]["generationId"]
    stream = await at.ask()
    running = stream.data("start")[0]["generationId"]
    assert await at.stop(at.isolate(place), generationId=old) == {"stopped": False, "generationId": running}
    await stream.until_over()
    assert ends(stream) == ("stop", False)
    assert await at.keys("stop:") == []


@everywhere
async def test_a_stop_where_nothing_runs_does_nothing(place: str):
    at = Chats()
    nothing = {"stopped": False, "generationId": None}
    assert await at.stop(at.isolate(place)) == nothing
    await at.turn()
    assert await at.stop(at.isolate(place)) == nothing


@everywhere
async def test_a_stop_before_the_first_word_leaves_the_question_and_no_answer(place: str):
    at = Chats([30.0, "Never."])
    asking = asyncio.ensure_future(at.turn())
    await asyncio.sleep(1)
    assert (await at.stop(at.isolate(place)))["stopped"] is True
    stream = await asking
    assert stream.names() == ["start", "done"]
    assert ends(stream) == ("stopped", True)
    assert stream.data("done")[0]["messageCount"] == 1
    assert await at.history() == ["user: Hi"]
    assert at.model.ended == 1


async def test_a_stop_before_the_first_word_counts_right_in_a_long_conversation():
    at = Chats(HELLO, HELLO, [30.0, "Never."], thread_history_limit=4)
    await at.turn()
    await at.turn()
    asking = asyncio.ensure_future(at.turn())
    await asyncio.sleep(1)
    await at.stop()
    stream = await asking
    assert stream.data("done")[0]["messageCount"] == len(await at.items()) == 4


async def test_a_stop_while_the_question_is_being_stored_stops_the_answer_before_it_begins():
    at = Chats(counted(60))
    at.kv.fails = lambda operation, key: operation == "put" and asyncio.get_running_loop().time() < 0.5
    asking = asyncio.ensure_future(at.turn())
    await asyncio.sleep(0.1)
    assert (await at.stop())["stopped"] is True
    assert ends(await asking) == ("stopped", True)
    assert await at.history() == ["user: Hi"]


async def test_stopping_twice_is_stopping_once():
    at = Chats(counted(60))
    stream = await at.ask()
    generation_id = stream.data("start")[0]["generationId"]
    first, second = await asyncio.gather(at.stop(), at.stop())
    assert first == second == {"stopped": True, "generationId": generation_id}
    assert await at.stop() == {"stopped": False, "generationId": None}
    assert await at.stop(at.elsewhere) == {"stopped": False, "generationId": None}
    assert await at.history() == ["user: Hi", "assistant: 1  (partial)"]


async def test_stopping_twice_from_elsewhere_is_stopping_once():
    at = Chats(counted(60))
    stream = await at.ask()
    await asyncio.sleep(1)
    stops = [(await at.stop(at.elsewhere))["stopped"] for _ in range(2)]
    assert stops == [True, True]
    await stream.until_over()
    assert ends(stream) == ("stopped", True)
    assert (await at.stop(at.elsewhere))["stopped"] is False


async def test_a_stopped_thread_takes_the_next_question():
    at = Chats(counted(60), ["Second."])
    await at.ask("First?")
    await at.stop()
    await at.turn("Second?", at.elsewhere)
    assert [item.content for item in at.model.asked[1]] == ["First?", "1 ", "Second?"]


@everywhere
async def test_deleting_a_thread_stops_its_answer_and_leaves_nothing_of_it(place: str):
    at = Chats(counted(60), ["Anew."])
    stream = await at.ask("First?")
    await asyncio.sleep(3.5)
    body = {"threadId": THREAD, "resourceId": ADA}
    assert (await at.isolate(place).call("DELETE", "/api/sessions", body)).json()["success"]
    await stream.until_over()
    assert stream.data("done")[0]["finishReason"] == "stopped"
    assert await at.threads.find(ADA, THREAD) is None
    await at.turn("Second?")
    assert await at.history() == ["user: Second?", "assistant: Anew."]
