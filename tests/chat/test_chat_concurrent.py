"""Two questions to one thread at the same time: the second is refused, or interrupts the first."""

import asyncio
import gc
from dataclasses import replace

import pytest

from simulation.scripted_model import counted
from simulation.virtual_time import START_MS
from tests.support.chats import ADA, THREAD, Chats, text_of, ui_text
from waypost_worker.chat.live_answer import LiveAnswer
from waypost_worker.limits import INTERRUPT_SECONDS
from waypost_worker.polling.plans import PAID


def running_id(problem: dict[str, object]) -> object:
    assert (problem["status"], problem["code"]) == (409, "answer_running")
    return problem["generationId"]


async def test_a_second_question_is_refused_with_the_answer_that_is_in_its_way():
    at = Chats(counted(5))
    first = await at.ask()
    await asyncio.sleep(2)
    assert running_id(await at.refused("Second?")) == first.data("start")[0]["generationId"]
    await first.until_over()
    assert text_of(first) == "1 2 3 4 5 "
    assert len(at.model.asked) == 1
    assert await at.history() == ["user: Hi", "assistant: 1 2 3 4 5 "]


async def test_of_two_questions_that_arrive_before_anything_was_awaited_one_is_refused():
    at = Chats(counted(3))
    first, second = await asyncio.gather(at.ask("First?"), at.refused("Second?"))
    await first.until_over()
    assert running_id(second) == first.data("start")[0]["generationId"]
    assert await at.history() == ["user: First?", "assistant: 1 2 3 "]


@pytest.mark.parametrize("seconds", [0.5, 4.5, 30])
async def test_a_question_to_another_isolate_is_refused_too(seconds: float):
    # Silent for the first 20 seconds, which another isolate must not take for abandoned.
    at = Chats([20.0, *counted(20)])
    asking = asyncio.ensure_future(at.turn())
    await asyncio.sleep(seconds)
    problem = await at.refused("Second?", at.elsewhere)
    stream = await asking
    assert running_id(problem) == stream.data("start")[0]["generationId"]
    assert stream.data("done")[0]["partial"] is False


async def test_a_question_to_another_thread_is_not_in_the_way():
    at = Chats(counted(3))
    first = await at.ask()
    await at.turn(threadId="other")
    await at.turn(resourceId="eve")
    await first.until_over()
    assert len(at.model.asked) == 3


async def test_after_an_answer_the_next_question_is_welcome_at_once():
    at = Chats()
    await at.turn()
    await at.turn("Second?", at.elsewhere)
    assert len(await at.items()) == 4


async def test_an_interrupt_stops_the_answer_and_keeps_its_part_at_its_place():
    at = Chats(counted(60), ["Second."])
    first = await at.ask("First?")
    await asyncio.sleep(1.5)
    second = await at.turn("Second?", interrupt=True)
    assert second.events[0].at < 3
    await first.until_over()
    done = first.data("done")[0]
    assert (done["finishReason"], done["partial"]) == ("stopped", True)
    assert text_of(first) == "1 2 "
    assert second.data("done")[0]["messageCount"] == 4
    assert [item.content for item in at.model.asked[1]] == ["First?", "1 2 ", "Second?"]
    assert await at.history() == [
        "user: First?",
        "assistant: 1 2  (partial)",
        "user: Second?",
        "assistant: Second.",
    ]


async def test_an_interrupt_before_the_first_word_leaves_the_question_alone():
    at = Chats([60.0, "Never."], ["Second."])
    asking = asyncio.ensure_future(at.turn("First?"))
    await asyncio.sleep(1)
    second = await at.turn("Second?", interrupt=True)
    first = await asking
    assert first.names() == ["start", "done"]
    assert first.data("done")[0]["messageCount"] == 1
    assert second.data("done")[0]["messageCount"] == 3
    assert await at.history() == ["user: First?", "user: Second?", "assistant: Second."]


async def test_an_interrupt_where_nothing_is_being_answered_is_a_question():
    at = Chats()
    assert (await at.turn(interrupt=True)).names()[-1] == "done"


async def test_who_comes_while_an_interrupt_waits_is_refused_with_the_new_answer():
    at = Chats(["First", 60.0], ["Second."])
    await at.ask("First?")
    await asyncio.sleep(1)
    second, third = await asyncio.gather(at.turn("Second?", interrupt=True), at.refused("Third?"))
    assert running_id(third) == second.data("start")[0]["generationId"]


async def test_an_interrupt_waits_only_so_long_for_an_answer_that_does_not_end():
    at = Chats()
    stuck = LiveAnswer("g", "m1", START_MS)
    at.here.app.isolate.answers.add(ADA, THREAD, stuck)
    second = await at.turn("Second?", interrupt=True)
    assert stuck.stop_requested
    assert second.events[0].at == pytest.approx(INTERRUPT_SECONDS, abs=0.1)
    assert text_of(second) == "Hello Ada."


async def test_an_interrupt_from_another_isolate_stops_the_answer_there_at_its_next_look():
    at = Chats(counted(60), ["Second."])
    first = await at.ask("First?")
    await asyncio.sleep(2.5)
    second = await at.turn("Second?", at.elsewhere, interrupt=True)
    assert second.events[-1].at < 4
    assert [item.content for item in at.model.asked[1]] == ["First?", "1 2 3 ", "Second?"]
    await first.until_over()
    assert first.data("done")[0]["finishReason"] == "stopped"
    assert first.events[-1].at < 8
    history = await at.history()
    assert history == [
        "user: First?",
        f"assistant: {text_of(first)} (partial)",
        "user: Second?",
        "assistant: Second.",
    ]


async def test_an_interrupt_from_elsewhere_before_the_first_word_shows_the_model_no_empty_answer():
    at = Chats([60.0, "Never."], ["Second."])
    asking = asyncio.ensure_future(at.turn("First?"))
    await asyncio.sleep(1)
    second = await at.turn("Second?", at.elsewhere, interrupt=True)
    assert [item.content for item in at.model.asked[1]] == ["First?\n\nSecond?"]
    assert second.data("done")[0]["messageCount"] == 3
    await asking
    assert await at.history() == ["user: First?", "user: Second?", "assistant: Second."]


@pytest.mark.parametrize("place", ["here", "elsewhere"])
async def test_a_message_that_is_edited_stops_the_answer_to_what_it_said_before(place: str):
    at = Chats(["Old ", 60.0], ["New."])
    there = at.isolate(place)
    first = await at.ask("Olld?", messageId="m1")
    await asyncio.sleep(1)
    edited = await at.ask_ui("New?", "m1", there, messageId="m1")
    assert ui_text(edited.body) == "New."
    await first.until_over()
    assert await at.history() == ["user: New?", "assistant: New."]


async def test_two_questions_in_two_places_that_do_not_see_each_other_are_both_answered_and_both_kept():
    at = Chats(counted(3), counted(2))
    streams = await asyncio.gather(at.turn("First?"), at.turn("Second?", at.elsewhere))
    assert [stream.names()[-1] for stream in streams] == ["done", "done"]
    assert len(await at.items()) == 4


async def test_an_answer_that_counted_as_abandoned_and_ends_after_all_is_kept_whole_at_its_place():
    # Its operations are spent before it ends, so that other isolates see nothing of it.
    at = Chats(counted(60), ["Second."], plan=replace(PAID, operations_per_invocation=40))
    asking = asyncio.ensure_future(at.turn("First?"))
    await asyncio.sleep(50)
    await at.turn("Second?", at.elsewhere)
    assert (await at.history())[1].endswith(" (partial)")
    first = await asking
    assert first.data("done")[0]["partial"] is False
    history = await at.history()
    assert history == ["user: First?", f"assistant: {text_of(first)}", "user: Second?", "assistant: Second."]


async def test_an_isolate_remembers_no_answer_that_has_ended():
    at = Chats()
    at.kv.fails = lambda operation, key: operation == "put" and asyncio.get_running_loop().time() < 9
    await at.refused(threadId="other")
    await asyncio.sleep(9)
    await at.turn()
    held: list[object] = [at.here.app.isolate.answers]
    for one in held:
        held += [other for other in gc.get_referents(one) if isinstance(other, dict | LiveAnswer)]
    assert not [one for one in held if isinstance(one, LiveAnswer)]
