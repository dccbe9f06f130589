"""The answer in what a service sends: the shapes that are known, and nothing of what is not an answer."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from simulation.virtual_time import run
from tests.support.completions import DONE, TEXT, byte_by_byte, chunk, event, said, whole, workers_ai
from waypost_worker.errors import ModelFailed
from waypost_worker.models.completion_stream import BrokenOff, read_document, read_stream
from waypost_worker.models.model import AnswerCutOff
from waypost_worker.models.transport import FetchError, FetchTimeout

NO_ANSWER = "The model's service sent something that is no answer."
REPORTED = "The model's service reported an error."


async def sent(*steps: bytes | FetchError) -> AsyncGenerator[bytes, None]:
    for step in steps:
        if isinstance(step, FetchError):
            raise step
        yield step


def deltas(*steps: bytes | FetchError) -> list[str]:
    async def read() -> list[str]:
        return [delta async for delta in read_stream(sent(*steps))]

    return run(read())


def test_the_deltas_come_as_they_were_said_and_none_is_empty():
    assert deltas(*said("Hel", "", "lo", " ", "\n")) == ["Hel", "lo", " ", "\n"]


def test_every_character_survives_also_byte_by_byte_and_however_it_is_split_in_two():
    stream = b"".join(said(*TEXT))
    assert "".join(deltas(stream)) == TEXT
    assert deltas(*byte_by_byte([stream])) == list(TEXT)
    short = b"".join(said(TEXT))
    for place in range(len(short)):
        assert deltas(short[:place], short[place:]) == [TEXT]


def test_workers_ai_says_it_in_its_own_shape_where_a_delta_may_be_a_number():
    assert deltas(*workers_ai("It", " is ", 42, 0, 1.5, "")) == ["It", " is ", "42", "0", "1.5"]
    assert deltas(event({"response": None, "usage": {}}), *workers_ai("x", usage=False)) == ["x"]


@pytest.mark.parametrize(
    "data",
    [
        {"choices": []},
        {"choices": None},
        {"choices": [{}]},
        {"choices": [{"delta": None}]},
        {"choices": [{"delta": {}}]},
        {"choices": [{"delta": {"role": "assistant"}}]},
        {"choices": [{"delta": {"content": None, "reasoning_content": "hm"}}]},
        {"choices": [{"delta": {"content": ""}, "finish_reason": None}]},
        {"choices": [{"delta": {"content": ""}, "finish_reason": ""}]},
        {"choices": [], "usage": {"total_tokens": 1}, "error": None},
        {"object": "ping"},
    ],
)
def test_a_chunk_may_say_nothing(data: Any):
    assert deltas(event(data), chunk("a"), event(data), DONE) == ["a"]


def test_of_several_choices_the_first_is_the_answer():
    both = {"choices": [{"delta": {"content": "a"}}, {"delta": {"content": "b"}}]}
    assert deltas(event(both), DONE) == ["a"]


def test_nothing_is_read_after_the_word_that_it_is_done():
    assert deltas(chunk("a"), DONE, chunk("b"), b"data: garbage\n\n", FetchError()) == ["a"]


@pytest.mark.parametrize("reason", ["stop", "tool_calls"])
def test_a_reason_to_end_is_an_end_too(reason: str):
    assert deltas(chunk("a"), chunk("b", finish_reason=reason)) == ["a", "b"]


@pytest.mark.parametrize("reason", ["length", "content_filter"])
@pytest.mark.parametrize("end", [b"data: [DONE]\n\n", chunk()])
async def test_a_model_that_had_to_stop_says_so_after_its_last_word(reason: str, end: bytes):
    heard: list[str] = []

    async def listen() -> None:
        async for delta in read_stream(sent(chunk("a"), chunk("b", finish_reason=reason), end)):
            heard.append(delta)

    with pytest.raises(AnswerCutOff, match=reason):
        await listen()
    assert heard == ["a", "b"]


def test_a_finished_answer_is_whole_whatever_becomes_of_the_connection():
    assert deltas(chunk("a", finish_reason="stop"), FetchError("reset")) == ["a"]
    assert deltas(chunk("a", finish_reason="stop"), chunk(), FetchTimeout("late")) == ["a"]


@pytest.mark.parametrize("steps", [[], [chunk("a")], [chunk("a"), b"data: [DONE]\n"], [b": nothing but this\n\n"]])
def test_a_stream_that_just_ends_has_broken_off(steps: list[bytes]):
    with pytest.raises(BrokenOff):
        deltas(*steps)


@pytest.mark.parametrize("error", [FetchError("reset"), FetchTimeout("late")])
def test_a_connection_that_fails_before_the_end_is_told_as_it_is(error: FetchError):
    with pytest.raises(type(error)) as caught:
        deltas(chunk("a"), error)
    assert caught.value is error


@pytest.mark.parametrize(
    "data",
    [
        "garbage",
        "",
        "{",
        "[]",
        "42",
        '"text"',
        "null",
        '{"choices":"no"}',
        '{"choices":[42]}',
        '{"choices":[{"delta":"no"}]}',
        '{"choices":[{"delta":{"content":42}}]}',
        '{"choices":[{"delta":{"content":["no"]}}]}',
        '{"choices":[{"finish_reason":1}]}',
        '{"response":["no"]}',
        '{"response":true}',
        '{"choices":[{"delta":{"content":"half a pair: \\ud83d"}}]}',
        '{"x":' + "[" * 100_000,
    ],
)
def test_what_has_another_shape_is_no_answer_and_its_beginning_is_kept_for_the_log(data: str):
    with pytest.raises(ModelFailed) as caught:
        deltas(chunk("a"), f"data: {data}\n\n".encode())
    assert (caught.value.detail, caught.value.log_detail) == (NO_ANSWER, data[:500])


def test_an_event_without_end_is_no_answer():
    with pytest.raises(ModelFailed) as caught:
        deltas(*[b"data: " + b"x" * 1024] * 1100)
    assert caught.value.detail == NO_ANSWER


@pytest.mark.parametrize(
    "stream",
    [b'data: {"error":{"message":"secret"}}\n\n', b'data: {"error":"secret"}\n\n', b"event: error\ndata: secret\n\n"],
)
def test_an_error_in_the_stream_is_an_error_and_what_it_says_is_for_the_log(stream: bytes):
    with pytest.raises(ModelFailed) as caught:
        deltas(chunk("a"), stream)
    assert caught.value.detail == REPORTED
    assert "secret" in caught.value.log_detail


def read(*steps: bytes | FetchError) -> str:
    return run(read_document(sent(*steps)))


def test_a_whole_answer_is_read_in_both_shapes():
    assert read(*byte_by_byte([whole(TEXT)])) == TEXT
    assert read(b'{"response":"Hi","usage":{}}') == "Hi"
    assert read(whole(None)) == ""


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"choices":[{"message":{"content":{}}}]}', b"\xff"])
def test_a_whole_answer_of_another_shape_is_none(body: bytes):
    with pytest.raises(ModelFailed, match="is no answer"):
        read(body)


def test_a_whole_answer_with_an_error_is_an_error():
    with pytest.raises(ModelFailed, match="reported an error"):
        read(b'{"error":{"message":"secret"}}')


def test_a_whole_answer_may_be_as_long_as_the_limit_and_is_read_no_further():
    start, end = b'{"response":"', b'"}'
    text = b"x" * (1024 * 1024 - len(start) - len(end))
    assert len(read(start, text, end)) == len(text)
    with pytest.raises(ModelFailed) as caught:
        read(start, text, end, b" ", FetchError("read too far"))
    assert caught.value.detail == NO_ANSWER


def test_what_came_at_once_is_one_delta_however_many_events_it_was():
    # Ten thousand deltas within a tick are ten thousand timers, and a runtime has no more than that.
    events = b"".join(chunk(letter) for letter in "abc")
    assert deltas(events, chunk("d"), chunk("", finish_reason="stop"), DONE) == ["abc", "d"]


async def test_what_was_said_before_a_failure_in_the_same_bytes_is_said():
    heard = []

    async def listen():
        async for delta in read_stream(sent(chunk("a") + b"data: nonsense\n\n")):
            heard.append(delta)

    with pytest.raises(ModelFailed):
        await listen()
    assert heard == ["a"]
