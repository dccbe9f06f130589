"""Chats over HTTP, in workerd, with echo: an answer comes word by word, to every reader, and is stored."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from operator import itemgetter
from threading import Barrier

import pytest

from tests.support.chat_client import ENDLESS, LONG, SHORTENED, UI_TYPE, AnswerStream, Chat, first_answer, next_answer
from tests.support.http_api import Api
from tests.support.waiting import eventually

GENERATION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
SHORT = " ".join(f"word{number}" for number in range(20))
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

PAYLOADS = {
    "characters of one to four bytes": "aé€😀\U0010ffff\ufffe",
    "line ends of every kind": "a\nb\r\nc\rd\u2028e\u2029f\u0085g\x0bh",
    "what looks like a frame": "data: x\n\nevent: done\nid: 1\n\n: comment\n\n[DONE]",
    "control characters": "\0\x01\x1b\x7f and the rest",
    "white space around it": "  \t a  b \n\n",
    "a word without end": "x" * 500,
}


@pytest.fixture
def chat(api: Api) -> Chat:
    return Chat(api)


def test_an_answer_comes_word_by_word_and_says_what_it_is(chat: Chat) -> None:
    answer = chat.ask(LONG)
    text = answer.whole()
    start = answer.head()
    end = answer.end()
    first = answer.events[1]

    generation_id = start["generationId"]
    assert GENERATION.fullmatch(generation_id)
    assert start == {
        "session_id": start["session_id"],
        **chat.name,
        "generationId": generation_id,
        "messageId": f"{generation_id}-q",
    }
    assert (first.name, first.data, first.id) == ("delta", {"text": "You "}, f"{generation_id}.4")
    assert [event.name for event in answer.events] == ["start", *["delta"] * (len(answer.events) - 2), "done"]
    assert end == {
        "generationId": generation_id,
        "messageId": generation_id,
        "finishReason": "stop",
        "partial": False,
        "messageCount": 2,
    }
    assert text == first_answer(LONG)
    assert answer.retry_ms == 1000
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert {"no-store", "no-transform"} == set(answer.headers["cache-control"].split(", "))
    # Echo says a word each 30 ms. Had they been buffered anywhere on the way, they would have come together.
    deltas = [event.at for event in answer.events if event.name == "delta"]
    assert deltas[-1] - deltas[0] > 0.2
    assert len({round(at, 2) for at in deltas}) > 5


def test_what_was_said_is_in_the_history(chat: Chat) -> None:
    answer = chat.ask("hello", messageId="mine")
    said = answer.whole()
    kept = chat.history()
    assert [(message["id"], message["role"], message["content"]) for message in kept] == [
        ("mine", "user", "hello"),
        (answer.head()["generationId"], "assistant", said),
    ]
    assert all(TIME.fullmatch(message["timestamp"]) and "partial" not in message for message in kept)
    session = chat.session()
    assert (session["sessionId"], session["threadId"]) == (answer.head()["session_id"], chat.thread_id)


def test_a_second_message_is_answered_by_one_who_remembers_the_first(chat: Chat) -> None:
    first = chat.ask("one")
    first.whole()
    second = chat.ask("two")
    assert second.whole() == next_answer("two", "one")
    assert second.end()["messageCount"] == 4
    assert second.head()["session_id"] == first.head()["session_id"]
    assert [role for role, _ in chat.said()] == ["user", "assistant"] * 2


@pytest.mark.parametrize("name", PAYLOADS)
def test_every_text_comes_as_it_was_said_in_both_formats(name: str, chat: Chat) -> None:
    # The same message again is the same answer, whether it still runs or not.
    asked, other = (chat.ask(PAYLOADS[name], messageId="m1", accept=accept) for accept in (None, UI_TYPE))
    assert asked.whole() == other.whole() == first_answer(PAYLOADS[name])
    assert chat.said() == [("user", PAYLOADS[name]), ("assistant", asked.text)]


def test_a_long_message_is_taken_and_shown_in_the_answer(chat: Chat) -> None:
    message = "Prose. " * 9000
    answer = chat.ask(message).heard("Prose. Prose. ")
    chat.stop()
    assert chat.said() == [("user", message), ("assistant", f"{answer.whole()}…")]


def test_who_comes_in_the_middle_hears_it_all_in_either_format(chat: Chat) -> None:
    asked = chat.ask(ENDLESS).heard("word3")
    readers = [chat.follow(), chat.follow(format="ui"), chat.follow(accept=UI_TYPE), chat.follow(format="events")]
    assert all("word3" in reader.heard("word3").text and not reader.is_over for reader in readers)
    chat.stop()
    assert {reader.whole() for reader in readers} == {asked.whole()}
    assert first_answer(ENDLESS).startswith(asked.text)
    assert readers[0].head() == readers[3].head() == asked.head()
    assert readers[0].end() == asked.end()
    assert readers[1].events[-1].text == readers[2].events[-1].text == "[DONE]"
    assert chat.follow().status == 204


def test_who_comes_back_with_its_place_hears_the_rest_and_nothing_twice(chat: Chat) -> None:
    asked = chat.ask(LONG).heard("word3")
    asked.close()
    had = asked.text
    in_the_middle = chat.follow(last_event_id=asked.last_id).heard("word9")
    in_the_middle.close()
    had += in_the_middle.text
    late = chat.follow(last_event_id=in_the_middle.last_id)
    assert had + late.whole() == first_answer(LONG)
    assert late.end()["messageCount"] == 2
    # The answer has ended since; a reader that names it still gets the rest.
    again = chat.follow(last_event_id=asked.last_id)
    assert asked.text + again.whole() == first_answer(LONG)
    assert chat.follow(last_event_id=again.last_id).status == 204


def test_nothing_runs_in_a_thread_that_is_new_or_has_been_answered(chat: Chat) -> None:
    assert chat.follow().status == 204
    chat.ask("hello").whole()
    reply = chat.follow()
    assert (reply.status, reply.body) == (204, b"")


def test_stopping_ends_the_answer_for_all_who_hear_it_and_keeps_what_was_said(chat: Chat) -> None:
    asked = chat.ask(ENDLESS).heard("word3")
    other, third = chat.follow(), chat.follow(format="ui")
    generation_id = asked.head()["generationId"]
    assert chat.stop(generationId=generation_id) == {"stopped": True, "generationId": generation_id}
    said = asked.whole()
    assert {said} == {other.whole(), third.whole()}
    assert first_answer(ENDLESS).startswith(said)
    assert len(said) < len(first_answer(ENDLESS))
    end = asked.end()
    assert (end["finishReason"], end["partial"], end["messageCount"]) == ("stopped", True, 2)
    assert other.end() == end
    assert chat.said() == [("user", ENDLESS), ("assistant", f"{said}…")]
    assert chat.stop() == {"stopped": False, "generationId": None}
    assert chat.ask("go on").whole() == next_answer("go on", SHORTENED)


def test_a_stop_that_means_an_older_answer_stops_nothing(chat: Chat) -> None:
    old = chat.ask("one")
    old.whole()
    asked = chat.ask(ENDLESS).heard("word3")
    running = asked.head()["generationId"]
    assert chat.stop(generationId=old.head()["generationId"]) == {"stopped": False, "generationId": running}
    asked.heard("word9")
    assert chat.stop(generationId=running) == {"stopped": True, "generationId": running}


def test_a_second_message_at_the_same_time_is_refused_and_told_what_is_in_the_way(chat: Chat) -> None:
    asked = chat.ask(ENDLESS).heard("word3")
    refused = chat.ask("and?")
    assert refused.problem == (409, "answer_running")
    assert b'"generationId":"%s"' % asked.head()["generationId"].encode() in refused.body
    assert refused.headers["content-type"] == "application/problem+json"
    chat.stop()
    assert chat.said() == [("user", ENDLESS), ("assistant", f"{asked.whole()}…")]


def test_a_message_that_interrupts_is_answered_and_the_other_answer_is_kept_as_far_as_it_came(chat: Chat) -> None:
    first = chat.ask(ENDLESS).heard("word3")
    second = chat.ask("never mind", interrupt=True)
    assert second.whole() == next_answer("never mind", SHORTENED)
    assert first.end()["finishReason"] == "stopped"
    assert chat.said() == [
        ("user", ENDLESS),
        ("assistant", f"{first.text}…"),
        ("user", "never mind"),
        ("assistant", second.text),
    ]


def test_of_two_messages_at_once_one_is_answered_and_one_refused(api: Api) -> None:
    for _ in range(3):
        chat, line = Chat(api), Barrier(2)

        def ask(message: str, chat: Chat = chat, line: Barrier = line) -> tuple[int, str, AnswerStream]:
            line.wait()
            answer = chat.ask(message)
            return answer.status, message, answer

        with ThreadPoolExecutor(2) as threads:
            answers = sorted(threads.map(ask, [f"one {ENDLESS}", f"two {ENDLESS}"]), key=itemgetter(0))
        assert [status for status, *_ in answers] == [200, 409]
        _, message, answer = answers[0]
        answer.heard("word3")
        chat.stop()
        assert first_answer(message).startswith(answer.whole())
        assert chat.said() == [("user", message), ("assistant", f"{answer.text}…")]


def test_sending_a_message_again_is_asking_once(chat: Chat) -> None:
    first = chat.ask(SHORT, messageId="m1").heard("word3")
    while_it_runs = chat.ask(SHORT, messageId="m1")
    assert while_it_runs.whole() == first.whole()
    later = chat.ask(SHORT, messageId="m1")
    assert later.whole() == first.text
    assert later.head() == while_it_runs.head() == first.head()
    assert len(chat.history()) == 2


def test_a_client_that_goes_away_does_not_end_the_answer(chat: Chat) -> None:
    chat.ask(LONG).heard("word3").close()
    assert chat.said()[0] == ("user", LONG)
    eventually(lambda: chat.said() == [("user", LONG), ("assistant", first_answer(LONG))])
