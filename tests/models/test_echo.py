"""The model without a network: the same answer every time, a word at a time, and what it remembers in it."""

from typing import Any

import pytest

from simulation.virtual_time import VirtualClock, run
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.models.echo import EchoModel

ALONE = ". That is the first message of yours that I know."


def user(content: Any) -> ChatMessage:
    return ChatMessage("u", "user", content, 0)


def assistant(content: str) -> ChatMessage:
    return ChatMessage("a", "assistant", content, 0)


def deltas_of(*items: ChatMessage, model: str | None = None) -> list[str]:
    async def listen() -> list[str]:
        return [delta async for delta in EchoModel(VirtualClock()).stream(items, model)]

    return run(listen())


def said(*items: ChatMessage) -> str:
    return "".join(deltas_of(*items))


def test_the_first_message_is_repeated_and_called_the_first():
    assert said(user("Hi there")) == f'You said: "Hi there"{ALONE}'


def test_earlier_messages_are_listed_oldest_first():
    items = [user("I am Ada"), assistant("Hello"), user("I like tea"), assistant("Good"), user("Who am I?")]
    assert said(*items) == 'You said: "Who am I?". Before that, you told me: 1. "I am Ada" 2. "I like tea"'


def test_only_the_user_is_quoted():
    items = [
        ChatMessage("s", "system", "Be brief.", 0),
        assistant("Hello"),
        ChatMessage("t", "tool", "42", 0),
        user("Hi"),
    ]
    assert said(*items) == f'You said: "Hi"{ALONE}'


@pytest.mark.parametrize("items", [[], [assistant("Hello")]])
def test_to_nothing_there_is_little_to_say(items: list[ChatMessage]):
    assert said(*items) == "You have not said anything yet."


def test_the_last_message_is_repeated_whole_as_it_stands():
    text = "  a\n\nb\t" + "é 👋🏽 " * 500 + "\u2028" + "x" * 100
    assert said(user(text)) == f'You said: "{text}"{ALONE}'


def test_earlier_messages_are_shown_on_one_line_of_80_characters():
    full, longer = "x" * 80, "y" * 81
    shown = said(user(full), user(longer), user("a\n  b"), user("Now?"))
    assert shown.endswith(f'1. "{full}" 2. "{"y" * 79}…" 3. "a b"')


def test_what_is_no_text_is_told_as_text():
    assert said(user([{"type": "text", "text": "look"}]), user({"a": 1})) == (
        'You said: "{"a":1}". Before that, you told me: 1. "look"'
    )


def test_it_says_a_word_at_a_time_and_no_delta_is_empty():
    deltas = deltas_of(user("one two\n three"))
    assert deltas[:5] == ["You ", "said: ", '"one ', "two\n ", 'three". ']
    assert all(deltas)


def test_a_word_without_end_comes_in_several_deltas():
    assert max(map(len, deltas_of(user("x" * 1000)))) == 40


async def test_each_word_takes_30_milliseconds():
    async def times() -> list[int]:
        clock = VirtualClock()
        start = clock.now_ms()
        return [clock.now_ms() - start async for _ in EchoModel(clock).stream([user("one two")])]

    heard = await times()
    assert heard == [30 * number for number in range(1, len(heard) + 1)]
    assert len(heard) == 14


def test_it_is_the_same_every_time_and_whichever_model_is_asked_for():
    assert deltas_of(user("Hi")) == deltas_of(user("Hi")) == deltas_of(user("Hi"), model="gpt-x")


def test_its_name_says_what_it_does():
    assert EchoModel(VirtualClock()).name == "echo"


def test_it_is_given_no_reasoning():
    assert not EchoModel(VirtualClock()).takes_reasoning()
