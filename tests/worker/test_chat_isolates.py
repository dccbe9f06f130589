"""Chats in two isolates, which know of each other only what is in KV: asked in one, followed and stopped in the other.

KV is strongly consistent here, as it is not between two locations; what that changes is shown in the simulation.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.chat_client import ENDLESS, LONG, Chat, first_answer
from tests.support.http_api import Api
from tests.support.waiting import eventually


@pytest.fixture
def chats(isolates: tuple[Api, Api]) -> tuple[Chat, Chat]:
    """The same thread, in either."""
    here, there = isolates
    chat = Chat(here)
    return chat, Chat(there, chat.thread_id, chat.resource_id)


def test_an_answer_is_followed_to_its_end_from_elsewhere(chats: tuple[Chat, Chat]) -> None:
    here, there = chats
    # It goes on for much longer than the requests until it is looked at again take, on a slow machine too.
    message = " ".join([LONG] * 8)
    asked = here.ask(message).heard("word30")
    readers = [there.follow(), there.follow(format="ui")]
    assert [reader.status for reader in readers] == [200, 200]
    refused = there.ask("and?")
    assert refused.problem == (409, "answer_running")
    assert asked.head()["generationId"].encode() in refused.body
    # The text up to a second ago can be read there too.
    question, answer = there.history()
    assert (question["content"], answer["partial"]) == (message, True)
    assert first_answer(message).startswith(answer["content"])
    assert not asked.is_over, "else nothing of this was shown"

    assert asked.whole() == readers[0].whole() == readers[1].whole() == first_answer(message)
    assert readers[0].end() == asked.end()
    assert readers[0].head() == asked.head()
    assert there.follow().status == 204
    assert there.ask("and?").whole().startswith('You said: "and?". Before that, you told me: 1. "long word0')


def test_an_answer_is_stopped_from_elsewhere(chats: tuple[Chat, Chat]) -> None:
    here, there = chats
    asked = here.ask(ENDLESS).heard("word3")
    running = asked.head()["generationId"]
    assert there.stop(generationId="older") == {"stopped": False, "generationId": running}
    assert there.stop(generationId=running) == {"stopped": True, "generationId": running}
    assert asked.end()["finishReason"] == "stopped"
    assert eventually(there.said)[1] == ("assistant", f"{asked.text}…")


def test_an_answer_is_interrupted_from_elsewhere(chats: tuple[Chat, Chat]) -> None:
    here, there = chats
    asked = here.ask(" ".join([LONG] * 5)).heard("word3")
    # A question of whose answer nothing is visible there is shown to the model together with the next one.
    assert re.match(r'You said: "(.*\n\n)?never mind"\.', there.ask("never mind", interrupt=True).whole(), re.DOTALL)
    assert asked.end()["finishReason"] == "stopped"
    for chat in chats:
        assert [role for role, _ in chat.said()] == ["user", "assistant"] * 2
        assert chat.said()[1] == ("assistant", f"{asked.text}…")


def test_a_message_that_is_sent_again_elsewhere_is_asked_once(chats: tuple[Chat, Chat]) -> None:
    here, there = chats
    # More in a second than fits into the metadata of a key.
    message = "x" * 2500
    asked, again = here.ask(message, messageId="m1"), there.ask(message, messageId="m1")
    assert asked.whole() == again.whole() == there.ask(message, messageId="m1").whole() == first_answer(message)
    assert len(there.history()) == 2


def test_two_messages_at_once_in_two_isolates_are_refused_or_kept(chats: tuple[Chat, Chat]) -> None:
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda chat, message: chat.ask(message), chats, ["one", "two"]))
    assert {200} <= {answer.status for answer in answers} <= {200, 409}
    told = {answer.whole() for answer in answers if answer.status == 200}
    for chat in chats:
        assert {content for role, content in chat.said() if role == "assistant"} == told
