"""The same message sent again: it joins its answer, gets it again, or is answered again."""

import asyncio
from typing import Any

import pytest

from simulation.scripted_model import counted
from simulation.virtual_time import START_MS
from tests.support.chats import ADA, THREAD, Chats, ends, text_of, ui_chunks
from waypost_worker.errors import ModelFailed


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


@pytest.mark.parametrize("place", ["here", "elsewhere"])
@pytest.mark.parametrize("fields", [{"messageId": "m1"}, {}])
async def test_a_question_that_is_sent_again_with_the_place_in_its_answer_goes_on_behind_it(
    place: str, fields: dict[str, Any]
):
    at = Chats(counted(6))
    first = await at.ask(**fields)
    await asyncio.sleep(2.5)
    last = first.events[-1].id
    await first.stop()
    again = await at.begin(at=at.isolate(place), last_event_id=last, **fields)
    await again.until_over()
    assert again.data("start") == first.data("start")
    assert text_of(first) + text_of(again) == "1 2 3 4 5 6 "
    assert ends(again) == ("stop", False)
    # After the end too, and behind the end itself.
    ended = await at.begin(at=at.isolate(place), last_event_id=last, **fields)
    await ended.until_over()
    assert (text_of(ended), ends(ended)) == (text_of(again), ("stop", False))
    over = await at.begin(at=at.isolate(place), last_event_id=again.events[-1].id, **fields)
    await over.until_over()
    assert over.names() == ["start", "done"]
    assert len(at.model.asked) == 1


async def test_a_stopped_answer_that_is_sent_for_again_with_its_place_is_not_asked_again():
    at = Chats(["One ", 1.0, "two ", 60.0])
    first = await at.ask(messageId="m1")
    await first.stop()
    await asyncio.sleep(2)
    await at.stop()
    again = await at.begin(last_event_id=first.events[-1].id, messageId="m1")
    await again.until_over()
    assert (text_of(again), ends(again)) == ("two ", ("stopped", True))


async def test_a_place_in_another_answer_means_nothing():
    at = Chats(["One."], ["Two."])
    first = await at.turn("First?", messageId="m1")
    second = await at.begin("Second?", last_event_id=first.events[1].id)
    await second.until_over()
    assert text_of(second) == "Two."
    again = await at.begin("First?", last_event_id=second.events[1].id, messageId="m1")
    await again.until_over()
    assert text_of(again) == "One."


async def test_regenerating_with_the_place_in_the_old_answer_is_regenerating():
    at = Chats(["One."], ["Better."])
    first = await at.turn("First?", messageId="m1")
    messages = [{"id": "m1", "role": "user", "parts": [{"type": "text", "text": "First?"}]}]
    body = {"id": THREAD, "resourceId": ADA, "messages": messages, "trigger": "regenerate-message"}
    headers = {"Last-Event-ID": first.events[1].id}
    reply = await at.here.call("POST", "/api/chat?format=events", body, headers=headers)
    assert b"Better." in reply.body


def page(*texts: str) -> list[dict[str, Any]]:
    """Messages of a page, of the user and the assistant in turns, the last one of the user."""
    return [
        {"id": f"m{number}", "role": ("user", "assistant")[number % 2], "parts": [{"type": "text", "text": text}]}
        for number, text in enumerate(texts)
    ]


async def seven_turns(at: Chats) -> list[str]:
    """The ids of the answers."""
    answers: list[str] = []
    for number in range(7):
        reply = await at.ask_ui(f"{number}?", f"q{number}")
        answers.append(ui_chunks(reply.body)[0]["messageId"])
        await asyncio.sleep(1)
    return answers


async def compact(at: Chats) -> None:
    """Removes from the store what is not kept any more."""
    for _ in range(3):
        await asyncio.sleep(200)
        conversation = at.conversation()
        view = await conversation._load()
        await conversation._compact(view.snapshot, view.journal)


async def again(at: Chats, number: int, answers: list[str], **fields: Any) -> list[str]:
    """Asks the question `number` again as the AI SDK does, and returns the history."""
    messages = page(*["x"] * (2 * number), f"{number}!")
    for index in range(number):
        messages[2 * index]["id"], messages[2 * index + 1]["id"] = f"q{index}", answers[index]
    messages[-1]["id"] = f"q{number}"
    body = {"id": THREAD, "resourceId": ADA, "messages": messages, "trigger": "submit-message", **fields}
    assert (await at.here.call("POST", "/api/chat", body)).status == 200
    return await at.history()


@pytest.mark.parametrize("compacted", [True, False])
@pytest.mark.parametrize("regenerates", [True, False])
@pytest.mark.parametrize("number", [1, 2, 4])
async def test_a_message_that_is_older_than_what_is_kept_replaces_everything_after_it(
    number: int, regenerates: bool, compacted: bool
):
    at = Chats(["Said."], thread_history_limit=4)
    answers = await seven_turns(at)
    if compacted:
        await compact(at)
    fields = {"trigger": "regenerate-message", "messageId": answers[number]} if regenerates else {}
    fields = fields or {"messageId": f"q{number}"}
    history = await again(at, number, answers, **fields)
    assert history[-2:] == [f"user: {number}!", "assistant: Said."]
    # Nothing that followed is left; of what came before, what is stored.
    assert history[:-2] in ([], [f"user: {number - 1}?", "assistant: Said."])
    assert [item.content for item in at.model.asked[-1]][-1] == f"{number}!"
    assert not {f"{later}?" for later in range(number + 1, 7)} & {item.content for item in at.model.asked[-1]}
    assert (await again(at, number, answers, messageId=f"q{number}"))[-2:] == history[-2:]


async def test_the_first_message_that_is_regenerated_replaces_everything_by_the_time_of_its_answer():
    at = Chats(["Said."], thread_history_limit=4)
    answers = await seven_turns(at)
    history = await again(at, 0, answers, trigger="regenerate-message", messageId=answers[0])
    assert history == ["user: 0!", "assistant: Said."]


@pytest.mark.parametrize("fields", [{"trigger": "regenerate-message"}, {"messageId": "q7"}])
async def test_a_question_that_failed_and_is_asked_again_replaces_nothing(fields: dict[str, Any]):
    at = Chats(*[["Said."]] * 7, [ModelFailed("No.")], ["Said."], thread_history_limit=4)
    answers = await seven_turns(at)
    before = await at.history()
    await again(at, 7, answers)
    assert await at.history() == before
    # Also on a page that shows none of the messages before it.
    lonely = [said("q7", "7!")]
    body = {"id": THREAD, "resourceId": ADA, "messages": lonely, "trigger": "submit-message", **fields}
    assert (await at.here.call("POST", "/api/chat", body)).status == 200
    assert await at.history() == [*before[2:], "user: 7!", "assistant: Said."]


def said(id: str, text: str) -> dict[str, Any]:
    return {"id": id, "role": "user", "parts": [{"type": "text", "text": text}]}


async def test_a_late_copy_of_a_message_that_is_not_kept_any_more_is_asked_at_the_end():
    at = Chats(["Said."], thread_history_limit=4)
    for number in range(7):
        await at.turn(f"{number}?", messageId=f"q{number}")
    await compact(at)
    await at.turn("0?", messageId="q0")
    # The question before its answer, and nothing is lost.
    assert await at.history() == ["user: 6?", "assistant: Said.", "user: 0?", "assistant: Said."]


async def test_a_late_copy_of_a_message_that_is_stored_still_gets_its_answer():
    at = Chats(["First."], ["Said."], thread_history_limit=4)
    for number in range(5):
        await at.turn(f"{number}?", messageId=f"q{number}")
    before = await at.history()
    assert text_of(await at.turn("0?", messageId="q0")) == "First."
    assert await at.history() == before


async def test_history_is_as_before_when_an_old_message_is_asked_again_and_the_model_fails():
    at = Chats(*[["Said."]] * 7, [ModelFailed("No.")], thread_history_limit=4)
    answers = await seven_turns(at)
    before = await at.history()
    assert await again(at, 2, answers, messageId="q2") == before
