"""Models and stores that fail in the middle of a question: the errors that the stream sends, and what stays stored."""

import asyncio
from typing import Any

import pytest

from simulation.scripted_model import Step, counted
from simulation.virtual_time import START_MS
from tests.support.chats import ADA, THREAD, Chats, text_of, ui_chunks, ui_text
from waypost_worker.conversations.thread import Thread
from waypost_worker.errors import ModelFailed, ModelTimedOut, WaypostError
from waypost_worker.kv.retrying import ATTEMPTS


async def threads(at: Chats) -> list[Thread]:
    found = [await at.threads.find(ADA, name) for name in (THREAD, "fork")]
    return [thread for thread in found if thread]


def refuse_first(at: Chats, prefix: str, count: int = 5) -> None:
    """The store refuses the next `count` writes of keys that begin so: as often as one write is tried."""
    left = [count]

    def fails(operation: str, key: str) -> bool:
        if operation == "put" and key.startswith(prefix):
            left[0] -= 1
            return left[0] >= 0
        return False

    at.kv.fails = fails


@pytest.mark.parametrize(
    ("failure", "code"),
    [(ModelFailed("No."), "model_failed"), (ModelTimedOut("Too long."), "model_timed_out")],
)
async def test_a_model_that_fails_before_its_first_word_is_an_event_and_nothing_is_kept(
    failure: WaypostError, code: str
):
    at = Chats([3.0, failure])
    stream = await at.turn()
    assert stream.names() == ["start", "error", "done"]
    assert stream.data("error") == [{"code": code, "message": failure.detail, "partial": False}]
    done = stream.data("done")[0]
    assert (done["finishReason"], done["partial"], done["messageCount"]) == ("error", True, 0)
    assert await at.history() == []
    assert await threads(at) == []
    assert await at.resume() is None


async def test_history_is_as_before_when_the_model_fails():
    at = Chats(["One."], [ModelFailed("No.")], ["Two."])
    await at.turn("First?")
    await at.failed("Second?", messageId="m2")
    assert await at.history() == ["user: First?", "assistant: One."]
    assert len(await threads(at)) == 1
    await at.turn("Second?", messageId="m2")
    assert await at.history() == ["user: First?", "assistant: One.", "user: Second?", "assistant: Two."]


async def test_what_was_to_be_asked_again_is_back_when_the_model_fails():
    at = Chats(["One."], ["Two."], [ModelFailed("No.")])
    await at.ask_ui("First?", "m1")
    await at.ask_ui("Second?", "m2")
    before = await at.items()
    reply = await at.ask_ui("First?", "m1", trigger="regenerate-message")
    assert {"type": "error", "errorText": "No."} in ui_chunks(reply.body)
    assert [(item.id, item.content, item.timestamp_ms) for item in await at.items()] == [
        (item.id, item.content, item.timestamp_ms) for item in before
    ]
    # Asked again as it was: it has been answered.
    assert ui_chunks((await at.ask_ui("Second?", "m2")).body)[0]["messageId"] == before[-1].id


async def test_a_partial_answer_is_back_when_the_model_fails():
    at = Chats(["Part", 60.0], [ModelFailed("No.")])
    await at.ask("First?", messageId="m1")
    await at.stop()
    await at.failed("First?", messageId="m1")
    assert await at.history() == ["user: First?", "assistant: Part (partial)"]


async def test_a_model_that_fails_after_its_first_word_is_an_event_and_the_part_is_kept():
    at = Chats(["One ", 3.0, ModelTimedOut("It took too long.")])
    stream = await at.turn()
    assert stream.names() == ["start", "delta", "error", "done"]
    assert stream.data("error") == [
        {"code": "model_timed_out", "message": "It took too long.", "partial": True},
    ]
    done = stream.data("done")[0]
    assert (done["finishReason"], done["partial"], done["messageCount"]) == ("error", True, 2)
    assert await at.history() == ["user: Hi", "assistant: One  (partial)"]


@pytest.mark.parametrize("first_word", [[], ["One "]])
async def test_a_follower_elsewhere_is_told_of_the_failure_too(first_word: list[Step]):
    at = Chats([*first_word, 8.0, ModelTimedOut("It took too long.")])
    first = await at.begin()
    second = await at.resumed(at.elsewhere)
    await first.until_over()
    await second.until_over()
    assert second.data("error") == first.data("error")
    assert second.data("done") == first.data("done")


@pytest.mark.parametrize("key", ["conv:", "thread:"])
@pytest.mark.parametrize("takes_effect", [False, True])
async def test_a_store_that_refuses_the_question_is_a_503_and_the_question_is_taken_back(key: str, takes_effect: bool):
    at = Chats()
    at.kv.takes_effect = takes_effect
    refuse_first(at, key)
    problem = await at.refused()
    assert (problem["status"], problem["code"]) == (503, "storage_unavailable")
    # The model was asked meanwhile, and is not listened to any more.
    assert len(at.model.asked) == at.model.ended == 1
    assert await at.history() == []
    assert await threads(at) == []
    at.kv.fails = lambda *_: False
    await at.turn()
    assert await at.history() == ["user: Hi", "assistant: Hello Ada."]


async def test_history_is_as_before_when_the_store_refuses_what_was_to_be_asked_again():
    at = Chats(["One."], ["Two."])
    await at.ask_ui("First?", "m1")
    await at.ask_ui("Second?", "m2")
    before = await at.history()
    refuse_first(at, "conv:")
    assert (await at.ask_ui("Uno?", "m1", messageId="m1")).status == 503
    assert await at.history() == before


@pytest.mark.parametrize("takes_effect", [False, True])
@pytest.mark.parametrize("is_edit", [False, True])
async def test_taking_a_question_back_leaves_the_same_one_answered_elsewhere(takes_effect: bool, is_edit: bool):
    at = Chats(*([["One."]] if is_edit else []), ["Never shown."], ["Two."])
    if is_edit:
        await at.ask_ui("First?", "m1")
    again: dict[str, Any] = {"messageId": "m1"}
    at.own_kv.refuses, at.own_kv.last_takes_effect = ATTEMPTS, takes_effect
    refused = asyncio.ensure_future(at.ask_ui("Anew?", "m1", **again))
    await asyncio.sleep(0.1)
    # Its client has left meanwhile, and asks again elsewhere.
    assert ui_text((await at.ask_ui("Anew?", "m1", at.elsewhere, **again)).body) == "Two."
    assert (await refused).status == 503
    assert at.own_kv.refuses == 0
    assert len(await threads(at)) == 1
    assert await at.history() == ["user: Anew?", "assistant: Two."]


async def test_what_a_turn_replaced_stays_away_if_an_earlier_question_is_asked_before_it_is_taken_back():
    at = Chats(["One."], ["Two."], [1.5, ModelFailed("No.")], ["Uno."])
    await at.ask_ui("First?", "m1")
    await at.ask_ui("Second?", "m2")
    failing = asyncio.ensure_future(at.ask_ui("Segundo?", "m2", messageId="m2"))
    await asyncio.sleep(1)
    assert await at.history() == ["user: First?", "assistant: One.", "user: Segundo?"]
    assert ui_text((await at.ask_ui("Primero?", "m1", at.elsewhere, messageId="m1")).body) == "Uno."
    await failing
    assert await at.history() == ["user: Primero?", "assistant: Uno."]


async def test_a_question_that_can_not_be_taken_back_either_is_logged():
    at = Chats()
    at.kv.fails = lambda operation, key: operation == "put"
    assert (await at.refused())["status"] == 503
    assert at.here.log[0].endswith("a question that was refused was not taken back: storage_unavailable")


async def test_a_thread_that_was_there_stays_when_the_store_refuses_the_question():
    at = Chats()
    await at.turn()
    refuse_first(at, "conv:")
    assert (await at.refused("Second?"))["status"] == 503
    assert len(await threads(at)) == 1
    assert await at.history() == ["user: Hi", "assistant: Hello Ada."]


async def test_after_a_refusal_nothing_is_in_the_way_of_the_next_question():
    at = Chats()
    at.kv.fails = lambda operation, key: operation == "put"
    await at.refused()
    at.kv.fails = lambda *_: False
    assert (await at.turn()).names()[-1] == "done"
    assert (await at.turn(at=at.elsewhere)).names()[-1] == "done"


async def test_a_client_that_goes_away_before_its_question_is_stored_leaves_nothing_in_the_way():
    at = Chats()
    at.kv.fails = lambda *_: at.clock.now_ms() < START_MS + 500
    asking = asyncio.ensure_future(at.open(messageId="m1"))
    await asyncio.sleep(0.1)
    again = asyncio.ensure_future(at.turn(messageId="m1"))
    await asyncio.sleep(0.1)
    asking.cancel()
    # The request that had joined it asks the question itself, immediately.
    stream = await again
    assert text_of(stream) == "Hello Ada."
    assert stream.events[0].at < 5
    assert len(at.model.asked) == 1


async def test_a_store_that_refuses_to_keep_the_answer_is_an_event_and_nothing_claims_that_it_was_kept():
    at = Chats(counted(3))
    stream = await at.ask()
    at.kv.fails = lambda operation, key: operation == "put" and key.startswith("conv:")
    await stream.until_over()
    assert stream.names()[-2:] == ["error", "done"]
    assert stream.data("error")[0]["code"] == "storage_unavailable"
    done = stream.data("done")[0]
    assert (done["finishReason"], done["partial"]) == ("error", True)
    assert text_of(stream) == "1 2 3 "
    # The part that was generated is still shown, and the thread can be used.
    assert (await at.history())[1] == "assistant: 1 2 3  (open)"
    at.kv.fails = lambda *_: False
    await at.turn("Second?")
    assert (await at.history())[:2] == ["user: Hi", "assistant: 1 2 3  (partial)"]
