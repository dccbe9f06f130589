"""A voice agent's turn: its history is kept here, question and answer together or not at all."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from simulation.scripted_model import Step
from simulation.virtual_time import START_MS
from tests.support.chats import HELLO
from tests.support.voice import SESSION, Setting
from waypost_worker.errors import ModelFailed, ModelTimedOut, WaypostError
from waypost_worker.limits import DEFAULT_CONVERSATION_TTL_SECONDS, MAX_ANSWER_CHARACTERS
from waypost_worker.models.model import AnswerCutOff, ToolUse


async def test_an_answer_is_whole_with_the_session_and_how_many_messages_it_has():
    at = Setting(["Hello", 1.0, " Ada."])
    reply = await at.ask()
    assert reply.status == 200
    assert reply.json() == {"response": "Hello Ada.", "sessionId": SESSION, "messageCount": 2}
    assert await at.history() == ["user: Hi", "assistant: Hello Ada."]


async def test_the_history_is_remembered_in_every_isolate():
    at = Setting(["Hello Ada."], ["You are Ada."])
    await at.ask("I am Ada.")
    reply = await at.ask("Who am I?", at.elsewhere)
    assert [item.content for item in at.model.asked[1]] == ["I am Ada.", "Hello Ada.", "Who am I?"]
    assert reply.json()["messageCount"] == 4


async def test_sessions_do_not_know_each_other():
    at = Setting()
    await at.ask()
    await at.ask(session_id="another")
    assert len(at.model.asked[1]) == 1


async def test_of_fifteen_turns_the_last_ten_messages_are_kept():
    at = Setting(*([f"{number}."] for number in range(15)))
    counts = [(await at.ask(f"{number}?")).json()["messageCount"] for number in range(15)]
    assert counts == [2, 4, 6, 8, *[10] * 11]
    expected = [text for number in range(10, 15) for text in (f"user: {number}?", f"assistant: {number}.")]
    assert await at.history() == expected
    # The model is shown what was kept, and the question.
    assert [item.content for item in at.model.asked[-1]][0] == "9?"
    assert len(at.model.asked[-1]) == 11


async def test_a_conversation_that_has_expired_begins_afresh():
    at = Setting()
    await at.ask("First?")
    await asyncio.sleep(DEFAULT_CONVERSATION_TTL_SECONDS - 1)
    await at.ask("Second?")
    assert len(at.model.asked[1]) == 3
    await asyncio.sleep(DEFAULT_CONVERSATION_TTL_SECONDS + 1)
    reply = await at.ask("Third?")
    assert len(at.model.asked[2]) == 1
    assert reply.json()["messageCount"] == 2


async def test_two_questions_at_once_are_both_kept_in_the_order_of_their_answers():
    at = Setting([1.0, "One."], [0.5, "Two."])
    first, second = await asyncio.gather(at.ask("First?"), at.ask("Second?"))
    assert (first.json()["response"], second.json()["response"]) == ("One.", "Two.")
    assert await at.history() == ["user: Second?", "assistant: Two.", "user: First?", "assistant: One."]


async def test_question_and_answer_are_one_write():
    at = Setting()
    await at.ask()
    assert [operation for operation, _ in at.kv.asked] == ["list", "get_many", "put"]


async def test_a_call_of_a_model_that_was_offered_no_tools_is_no_part_of_the_answer():
    at = Setting(["Hello Ada.", ToolUse("1", "add_note", {})])
    assert (await at.ask()).json()["response"] == "Hello Ada."
    assert at.model.tools == [[]]


async def test_a_client_that_goes_away_leaves_the_answer_to_be_kept():
    at = Setting([3.0, *HELLO])
    asking = asyncio.ensure_future(at.ask())
    await asyncio.sleep(1)
    asking.cancel()
    await asyncio.sleep(5)
    assert await at.history() == ["user: Hi", "assistant: Hello Ada."]


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [(ModelFailed("No."), 502, "model_failed"), (ModelTimedOut("No."), 504, "model_timed_out")],
)
@pytest.mark.parametrize("first", [[], ["One "]])
async def test_a_model_that_fails_is_a_problem_and_nothing_is_kept(
    first: list[Step], failure: WaypostError, status: int, code: str
):
    at = Setting(["Before."], [*first, failure])
    await at.ask("Before?")
    reply = await at.ask()
    assert (reply.status, reply.json()["code"], reply.json()["detail"]) == (status, code, "No.")
    assert await at.history() == ["user: Before?", "assistant: Before."]
    assert at.client.log == []


async def test_work_that_the_platform_ends_is_told_as_a_model_that_broke_off():
    at = Setting([3.0, *HELLO])
    tasks: list[asyncio.Task[None]] = []

    def background(work: Coroutine[Any, Any, None]) -> None:
        tasks.append(asyncio.ensure_future(work))

    asking = asyncio.ensure_future(at.agent(background).answer("Hi"))
    await asyncio.sleep(1)
    tasks[0].cancel()
    with pytest.raises(ModelFailed):
        await asking


async def test_an_answer_has_a_greatest_length():
    at = Setting(["x" * MAX_ANSWER_CHARACTERS], ["x" * MAX_ANSWER_CHARACTERS, "y", 60.0])
    assert (await at.ask()).status == 200
    reply = await at.ask()
    assert (reply.status, reply.json()["detail"]) == (502, "The model did not come to an end.")
    assert at.clock.now_ms() == START_MS
    assert at.model.ended == 2


async def test_a_store_that_refuses_the_answer_is_a_503_and_nothing_is_kept():
    at = Setting()
    at.kv.fails = lambda operation, key: operation == "put"
    reply = await at.ask()
    assert (reply.status, reply.json()["code"]) == (503, "storage_unavailable")
    assert await at.history() == []


async def test_a_store_that_can_not_be_read_is_a_503_and_the_model_is_not_asked():
    at = Setting()
    at.kv.fails = lambda operation, key: operation == "list"
    assert (await at.ask()).status == 503
    assert at.model.asked == []


async def test_an_answer_that_the_model_had_to_cut_off_is_spoken_as_far_as_it_goes():
    at = Setting(["One", AnswerCutOff("length")])
    assert (await at.ask()).json()["response"] == "One"
    assert await at.history() == ["user: Hi", "assistant: One"]
