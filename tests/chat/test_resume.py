"""Resuming an answer, in the isolate that generates it and in another one; and leaving it."""

import asyncio
from urllib.parse import quote

import pytest

from simulation.scripted_model import counted
from tests.support.chats import ADA, HELLO, THREAD, Chats, ends, text_of, ui_text
from waypost_worker.chat.live_answer import AnswerInfo
from waypost_worker.chat.resume import info_of
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.conversations.thread import Thread
from waypost_worker.errors import ModelTimedOut
from waypost_worker.limits import ANSWER_GRACE_SECONDS
from waypost_worker.polling.plans import FREE

everywhere = pytest.mark.parametrize("place", ["here", "elsewhere"])


@everywhere
async def test_who_comes_back_has_the_words_so_far_then_each_as_it_comes_then_the_end(place: str):
    at = Chats(counted(6))
    first = await at.ask(messageId="m1")
    await asyncio.sleep(2.5)
    second = await at.resumed(at.isolate(place))
    await asyncio.sleep(0.1)
    assert text_of(second) == "1 2 3 "
    assert len(second.data("delta")) == 1
    await asyncio.sleep(2)
    assert text_of(second).startswith("1 2 3 4 ")
    await first.until_over()
    await second.until_over()
    assert second.data("start") == first.data("start")
    assert second.data("done") == first.data("done")
    assert text_of(second) == text_of(first) == "1 2 3 4 5 6 "


@everywhere
async def test_two_readers_at_once_have_the_same(place: str):
    at = Chats(counted(6))
    asking = await at.ask()
    await asyncio.sleep(1)
    readers = [await at.resumed(at.isolate(place)) for _ in range(2)]
    for reader in [asking, *readers]:
        await reader.until_over()
    assert [text_of(reader) for reader in readers] == ["1 2 3 4 5 6 "] * 2
    assert [reader.data("done") for reader in readers] == [asking.data("done")] * 2


@everywhere
async def test_nothing_is_resumed_where_nothing_runs(place: str):
    at = Chats()
    assert await at.resume(at.isolate(place)) is None
    await at.turn()
    assert await at.resume(at.isolate(place)) is None


@everywhere
async def test_an_answer_that_was_begun_a_moment_ago_is_there_for_who_comes_back(place: str):
    at = Chats([3.0, *HELLO])
    asking = asyncio.ensure_future(at.turn())
    await asyncio.sleep(0.5)
    stream = await at.resumed(at.isolate(place))
    await stream.until_over()
    assert text_of(stream) == text_of(await asking) == "Hello Ada."


async def test_who_comes_back_while_the_question_is_being_stored_waits_for_its_answer():
    at = Chats()
    at.kv.fails = lambda operation, key: operation == "put" and asyncio.get_running_loop().time() < 0.5
    asking = asyncio.ensure_future(at.turn())
    await asyncio.sleep(0.1)
    stream = await at.resumed()
    await stream.until_over()
    assert text_of(stream) == text_of(await asking)


async def test_who_comes_back_for_a_question_that_comes_to_nothing_finds_that_nothing_runs():
    at = Chats()
    at.kv.fails = lambda operation, key: operation == "put"
    asking = asyncio.ensure_future(at.refused())
    await asyncio.sleep(0.1)
    assert await at.resume() is None
    await asking


async def test_who_comes_back_for_an_answer_that_fails_before_its_first_word_is_told():
    at = Chats([2.0, ModelTimedOut("Too long.")])
    asking = asyncio.ensure_future(at.failed())
    await asyncio.sleep(1)
    resumed = await at.resumed()
    assert (await asking)["code"] == "model_timed_out"
    await resumed.until_over()
    assert resumed.data("error")[0]["code"] == "model_timed_out"
    assert await at.resume() is None


@everywhere
@pytest.mark.parametrize(("characters", "rest"), [(0, "aé👋b c d"), (1, "é👋b c d"), (3, "b c d"), (5, "c d"), (8, "")])
async def test_a_place_continues_at_its_character(place: str, characters: int, rest: str):
    at = Chats(["aé👋b ", 2.5, "c ", 2.5, "d"])
    first = await at.ask()
    await asyncio.sleep(2)
    last = f"{first.data('start')[0]['generationId']}.{characters}"
    second = await at.resumed(at.isolate(place), last)
    await first.until_over()
    await second.until_over()
    assert text_of(second) == rest
    assert second.names()[0] == "start"
    assert second.data("done") == first.data("done")


@everywhere
async def test_every_event_has_an_id_that_continues_after_it(place: str):
    at = Chats(["aé", 1.0, "👋🏽b ", 1.0, "c"])
    first = await at.turn()
    deltas = [event for event in first.events if event.name == "delta"]
    said = ""
    for event in deltas:
        said += event.data["text"]
        rest = await at.resumed(at.isolate(place), event.id)
        await rest.until_over()
        assert said + text_of(rest) == "aé👋🏽b c"
        assert ends(rest) == ("stop", False)


async def test_a_place_of_an_answer_that_has_ended_is_continued_while_another_one_runs():
    at = Chats(["One two."], counted(5))
    first = await at.turn()
    second = await at.ask()
    stream = await at.resumed(last=f"{first.data('start')[0]['generationId']}.4")
    await stream.until_over()
    assert text_of(stream) == "two."
    assert stream.data("start") == first.data("start")
    await second.until_over()


@everywhere
async def test_who_has_had_it_all_is_told_that_there_is_no_more(place: str):
    at = Chats()
    first = await at.turn()
    assert await at.resume(at.isolate(place), first.events[-1].id) is None


async def test_who_has_had_it_all_is_not_given_the_next_answer():
    at = Chats(HELLO, counted(3))
    first = await at.turn()
    second = await at.ask()
    assert await at.resume(last=first.events[-1].id) is None
    await second.until_over()


async def test_a_place_of_an_answer_that_is_gone_is_nothing():
    at = Chats()
    await at.turn()
    assert await at.resume(last="somebody-else.4") is None


@pytest.mark.parametrize("last", ["nonsense", "g.", "g.x", ".", "g.-1", "g.²", "g.1234567890"])
async def test_what_is_no_place_is_ignored(last: str):
    at = Chats(counted(5))
    first = await at.ask()
    stream = await at.resumed(last=last)
    await first.until_over()
    await stream.until_over()
    assert text_of(stream) == text_of(first)


async def test_an_answer_goes_on_when_its_client_has_left_and_is_kept_whole():
    at = Chats(counted(20))
    stream = await at.ask()
    await stream.stop()
    await asyncio.sleep(21)
    assert await at.history() == ["user: Hi", f"assistant: {''.join(f'{n} ' for n in range(1, 21))}"]
    assert at.model.ended == 1


async def test_an_answer_goes_on_only_so_long_without_a_reader_and_is_kept_as_partial():
    at = Chats(counted(60))
    stream = await at.ask()
    await stream.stop()
    await asyncio.sleep(ANSWER_GRACE_SECONDS - 1)
    assert at.model.ended == 0
    await asyncio.sleep(2)
    assert at.model.ended == 1
    [_, answer] = await at.history()
    assert answer.startswith("assistant: 1 2 3 ")
    assert answer.endswith(" (partial)")


async def test_a_client_that_leaves_before_the_first_word_leaves_the_answer_going():
    at = Chats([ANSWER_GRACE_SECONDS + 15.0, *HELLO])
    stream = await at.begin()
    await asyncio.sleep(ANSWER_GRACE_SECONDS - 1)
    await stream.stop()
    await asyncio.sleep(ANSWER_GRACE_SECONDS)
    assert await at.history() == ["user: Hi", "assistant: Hello Ada."]


async def test_a_reader_that_comes_back_in_time_keeps_the_answer_alive():
    at = Chats(counted(60))
    stream = await at.ask()
    await stream.stop()
    await asyncio.sleep(ANSWER_GRACE_SECONDS - 5)
    back = await at.resumed()
    await back.until_over()
    assert ends(back) == ("stop", False)
    assert text_of(back).endswith(" 60 ")


def test_an_answer_belongs_to_the_last_question_before_it_that_is_still_there():
    thread = Thread(ADA, THREAD, "s", 0, 0)
    asked, called = ChatMessage("m1", "user", "Hi", 0), ChatMessage("c", "assistant", "", 0)
    answer = ChatMessage("g", "assistant", "Hello.", 0, is_ui=True)
    items = [asked, called, answer, ChatMessage("m2", "user", "Later", 0)]
    assert info_of(thread, answer, items) == AnswerInfo("g", "s", THREAD, ADA, "m1", True)
    assert info_of(thread, answer, items[1:]).message_id == ""


@everywhere
async def test_who_comes_back_with_an_events_id_gets_events_although_the_answer_was_begun_as_a_ui_stream(place: str):
    at = Chats(["One ", 2.5, "two ", 2.5, "three."])
    asking = asyncio.ensure_future(at.ask_ui())
    await asyncio.sleep(3)
    generation_id = (await at.conversation().read())[-1].id
    stream = await at.resumed(at.isolate(place), last=f"{generation_id}.4")
    await stream.until_over()
    assert text_of(stream) == "two three."
    assert ui_text((await asking).body) == "One two three."


@everywhere
async def test_on_the_free_plan_a_reader_is_sent_back_and_goes_on_where_it_was(place: str):
    at = Chats(counted(90), plan=FREE)
    asking = await at.ask()
    await asyncio.sleep(1)
    reader = await at.resumed(at.isolate(place))
    await reader.until_over(FREE.stream_seconds + 5)
    assert reader.names()[-1] == "delta"
    assert not asking.is_over
    again = await at.resumed(at.isolate(place), reader.events[-1].id)
    await again.until_over(FREE.stream_seconds)
    await asking.until_over()
    assert text_of(reader) + text_of(again) == text_of(asking)
    assert again.data("done") == asking.data("done")


async def test_a_reader_of_the_ai_sdk_stays_to_the_end_since_it_can_not_resume():
    at = Chats(counted(90), plan=FREE)
    asking = await at.ask()
    read = await at.here.call("GET", f"/api/chat/{THREAD}/stream?resourceId={quote(ADA)}&format=ui")
    await asking.until_over()
    assert ui_text(read.body) == text_of(asking)
