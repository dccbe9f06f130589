"""The same message sent again: it joins its answer, gets it again, or is answered again."""

import asyncio

import pytest

from simulation.scripted_model import counted
from simulation.virtual_time import START_MS
from tests.support.chats import Chats, text_of


async def test_a_message_that_is_sent_again_while_it_is_answered_joins_the_answer():
    at = Chats(counted(3))
    first = await at.ask(messageId="m1")
    await asyncio.sleep(1)
    second = await at.ask(messageId="m1")
    await first.until_over()
    await second.until_over()
    assert second.data("start") == first.data("start")
    assert text_of(second) == text_of(first) == "1 2 3 "
    assert len(at.model.asked) == 1
    assert await at.history() == ["user: Hi", "assistant: 1 2 3 "]


async def test_two_copies_of_a_message_that_arrive_together_are_one_question():
    at = Chats(counted(3))
    streams = await asyncio.gather(at.turn(messageId="m1"), at.turn(messageId="m1"))
    assert streams[0].data("start") == streams[1].data("start")
    assert [text_of(stream) for stream in streams] == ["1 2 3 "] * 2
    assert len(at.model.asked) == 1


async def test_a_message_that_is_sent_again_to_another_isolate_joins_the_answer_too():
    at = Chats(counted(6))
    first = await at.ask(messageId="m1")
    await asyncio.sleep(2.5)
    second = await at.turn(at=at.elsewhere, messageId="m1")
    assert second.data("start") == first.data("start")
    assert second.data("done") == first.data("done")
    assert text_of(second) == "1 2 3 4 5 6 "
    assert len(at.model.asked) == 1


@pytest.mark.parametrize("place", ["here", "elsewhere"])
async def test_a_message_that_was_answered_gets_that_answer_again_without_the_model(place: str):
    at = Chats(["Once."], ["Later."])
    first = await at.turn(messageId="m1")
    await at.turn("Another?")
    again = await at.turn(at=at.isolate(place), messageId="m1")
    assert again.data("start") == first.data("start")
    assert again.names() == ["start", "delta", "done"]
    assert again.data("delta") == [{"text": "Once."}]
    assert again.data("done") == [first.data("done")[0] | {"messageCount": 4}]
    assert len(at.model.asked) == 2


async def test_two_copies_of_a_message_that_was_answered_both_get_that_answer():
    at = Chats(["Once."])
    await at.turn(messageId="m1")
    at.kv.fails = lambda operation, key: operation == "list" and at.clock.now_ms() < START_MS + 1000
    copies = await asyncio.gather(at.turn(messageId="m1"), at.turn(messageId="m1"))
    assert [text_of(stream) for stream in copies] == ["Once.", "Once."]
    assert len(at.model.asked) == 1


async def test_a_message_whose_answer_is_partial_is_asked_again_and_what_followed_it_goes():
    at = Chats(["Part", 60.0], ["Whole."], ["Anew."])
    stream = await at.ask(messageId="m1")
    await asyncio.sleep(1)
    await at.stop()
    await at.turn("Other?", messageId="m2")
    assert await at.history() == ["user: Hi", "assistant: Part (partial)", "user: Other?", "assistant: Whole."]
    again = await at.turn(messageId="m1")
    assert again.data("start")[0]["generationId"] != stream.data("start")[0]["generationId"]
    assert await at.history() == ["user: Hi", "assistant: Anew."]
    assert [item.content for item in at.model.asked[-1]] == ["Hi"]


async def test_an_answer_that_was_given_once_leaves_the_thread_free_for_the_next_question():
    at = Chats(["Once."])
    await at.turn(messageId="m1")
    await at.turn(messageId="m1")
    assert (await at.turn("Next?")).names()[-1] == "done"
    assert await at.resume() is None
