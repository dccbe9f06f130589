"""Answers while they are given: plain data that an isolate's requests share."""

import weakref

import pytest

from simulation.virtual_time import START_MS
from waypost_worker.chat.live_answer import AnswerInfo, LiveAnswer, LiveAnswers, Outcome
from waypost_worker.errors import Busy
from waypost_worker.limits import GIVER_SILENCE_SECONDS, MAX_LIVE_ANSWERS, MAX_LIVE_ANSWERS_BYTES

SILENCE_MS = GIVER_SILENCE_SECONDS * 1000


def live(name: str = "g", now_ms: int = START_MS) -> LiveAnswer:
    return LiveAnswer(name, f"{name}-q", now_ms)


def test_an_answer_has_its_text_and_counts_characters_not_bytes():
    answer = live()
    answer.add("Grüße ")
    answer.add("👋🏽")
    assert (answer.text, answer.characters, answer.deltas) == ("Grüße 👋🏽", 8, ["Grüße ", "👋🏽"])


def test_an_answer_has_begun_when_the_model_is_asked():
    answer = live()
    assert not answer.has_begun
    answer.info = AnswerInfo("g", "s", "t", "r", "m")
    assert answer.has_begun


def test_an_answer_without_a_word_has_begun_when_it_has_ended():
    answer = live()
    answer.outcome = Outcome("stopped")
    assert answer.has_begun


def test_an_answer_runs_until_it_has_ended():
    answer = live()
    assert answer.is_running(START_MS)
    answer.outcome = Outcome("stop")
    assert not answer.is_running(START_MS)


def test_a_generation_that_has_done_nothing_for_long_is_counted_as_lost():
    answer = live()
    assert answer.is_running(START_MS + SILENCE_MS - 1)
    assert not answer.is_running(START_MS + SILENCE_MS)
    answer.seen_ms = START_MS + 1
    assert answer.is_running(START_MS + SILENCE_MS)


@pytest.mark.parametrize(("reason", "partial"), [("stop", False), ("stopped", True), ("length", True), ("error", True)])
def test_an_answer_is_whole_only_if_the_model_had_no_more_to_say(reason, partial: bool):
    assert Outcome(reason).is_partial is partial


def test_each_thread_of_each_resource_has_its_own_answer():
    answers, mine, other = LiveAnswers(), live("a"), live("b")
    answers.add("r", "t", mine)
    answers.add("r", "u", other)
    assert answers.running("r", "t", START_MS) is mine
    assert answers.running("r", "u", START_MS) is other
    assert answers.running("s", "t", START_MS) is None


def test_an_answer_that_has_ended_or_fallen_silent_is_not_running():
    answers, answer = LiveAnswers(), live()
    answers.add("r", "t", answer)
    assert answers.running("r", "t", START_MS + SILENCE_MS) is None
    answer.outcome = Outcome("stop")
    assert answers.running("r", "t", START_MS) is None


def test_an_answer_that_is_released_is_forgotten():
    answers, answer = LiveAnswers(), live()
    answers.add("r", "t", answer)
    answers.remove("r", "t", answer)
    answers.remove("r", "t", answer)
    assert answers.running("r", "t", START_MS) is None


def test_releasing_an_answer_leaves_the_one_that_took_its_place():
    answers, first, second = LiveAnswers(), live("a"), live("b")
    answers.add("r", "t", first)
    answers.add("r", "t", second)
    answers.remove("r", "t", first)
    assert answers.running("r", "t", START_MS) is second


def test_an_isolate_forgets_answers_of_generations_that_were_cut_off_before_they_fill_its_memory():
    answers, now = LiveAnswers(), START_MS + SILENCE_MS
    for number in range(MAX_LIVE_ANSWERS - 1):
        answers.add("r", f"dead {number}", dead := live())
    gone, running = weakref.ref(dead), live("running", now)
    del dead
    answers.add("r", "running", running)
    assert gone()
    answers.add("r", "new", live("new", now))
    assert not gone()
    assert answers.running("r", "running", now) is running


def test_an_isolate_generates_a_bounded_number_of_answers():
    answers = LiveAnswers()
    for number in range(MAX_LIVE_ANSWERS):
        answers.add("r", f"t{number}", live())
    with pytest.raises(Busy):
        answers.add("r", "new", live())
    answers.add("r", "later", live("later", START_MS + SILENCE_MS))
    assert answers.running("r", "later", START_MS + SILENCE_MS) is not None


def test_the_text_of_all_answers_has_a_bounded_number_of_bytes():
    answers, first, second = LiveAnswers(), live("a"), live("b")
    first.add("before")
    answers.add("r", "t", first)
    answers.add("r", "u", second)
    first.add("x" * (MAX_LIVE_ANSWERS_BYTES // 4 - 100))
    assert first.has_room
    assert second.has_room
    second.add("x" * 100)
    assert not first.has_room
    with pytest.raises(Busy):
        answers.add("r", "v", live("c"))
    # Also by one that takes its place.
    answers.remove("r", "u", second)
    answers.add("r", "t", live("d"))
    assert answers.bytes == 0
    assert first.has_room


def test_an_answer_is_put_back_unless_it_has_ended_or_another_one_runs():
    answers, first, second = LiveAnswers(), live("a"), live("b")
    first.add("text")
    answers.add("r", "t", second)
    answers.put_back("r", "t", first, START_MS)
    assert answers.running("r", "t", START_MS) is second
    answers.remove("r", "t", second)
    answers.put_back("r", "t", first, START_MS)
    assert (answers.running("r", "t", START_MS), answers.bytes) == (first, first.size)
    answers.remove("r", "t", first)
    first.outcome = Outcome("stop")
    answers.put_back("r", "t", first, START_MS)
    assert (answers.running("r", "t", START_MS), answers.bytes) == (None, 0)


def test_an_answer_is_left_by_its_asker_while_it_is_not_read():
    answer = LiveAnswer("g", "m", START_MS, "me")
    assert answer.left_by == ""
    answer.is_left = True
    assert answer.left_by == "me"
    answer.readers = 1
    assert answer.left_by == ""


def test_who_watches_a_thread_is_told_of_answers_that_begin_there_meanwhile():
    answers = LiveAnswers()
    with answers.watched("ada", "t") as watch, answers.watched("ada", "other") as other:
        answers.add("ada", "t", live())
        assert (watch.has_changed, other.has_changed) == (True, False)
    with answers.watched("ada", "t") as watch:
        assert not watch.has_changed


def test_a_watch_is_forgotten_with_its_request():
    answers = LiveAnswers()
    with answers.watched("ada", "t"):
        assert len(answers._watches) == 1
    assert answers._watches == set()
