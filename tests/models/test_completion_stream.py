"""The answer in what a service sends: the shapes that are known, and nothing of what is not an answer."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from simulation.virtual_time import run
from tests.support.completions import DONE, TEXT, byte_by_byte, chunk, event, said, whole, workers_ai
from waypost_worker.errors import ModelFailed
from waypost_worker.models.completion_stream import BrokenOff, read_document, read_stream
from waypost_worker.models.model import AnswerCutOff, Piece, Reasoning
from waypost_worker.models.transport import FetchError, FetchTimeout

END = chunk(finish_reason="stop")
NO_ANSWER = "The model's service sent something that is no answer."
REPORTED = "The model's service reported an error."


async def sent(*steps: bytes | FetchError) -> AsyncGenerator[bytes, None]:
    for step in steps:
        if isinstance(step, FetchError):
            raise step
        yield step


def deltas(*steps: bytes | FetchError, log: list[str] | None = None) -> list[Piece]:
    async def read() -> list[Piece]:
        return [delta async for delta in read_stream(sent(*steps), ([] if log is None else log).append)]

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
        {"choices": [{"delta": {"content": ""}, "finish_reason": None}]},
        {"choices": [{"delta": {"content": ""}, "finish_reason": ""}]},
        {"choices": [], "usage": {"total_tokens": 1}, "error": None},
        {"object": "ping"},
    ],
)
def test_a_chunk_may_say_nothing(data: Any):
    assert deltas(event(data), chunk("a"), event(data), END, DONE) == ["a"]


def test_of_several_choices_the_first_is_the_answer():
    both = {"choices": [{"delta": {"content": "a"}}, {"delta": {"content": "b"}}]}
    assert deltas(event(both), END) == ["a"]


def test_nothing_is_read_after_the_word_that_it_is_done():
    assert deltas(chunk("a"), END, DONE, chunk("b"), b"data: garbage\n\n", FetchError()) == ["a"]


@pytest.mark.parametrize("reason", ["stop", "tool_calls"])
def test_a_reason_to_end_is_an_end_too(reason: str):
    assert deltas(chunk("a"), chunk("b", finish_reason=reason)) == ["a", "b"]


@pytest.mark.parametrize("reason", ["length", "content_filter", "max_tokens", "model_length"])
@pytest.mark.parametrize("end", [b"data: [DONE]\n\n", chunk()])
async def test_a_model_that_had_to_stop_says_so_after_its_last_word(reason: str, end: bytes):
    heard: list[str] = []

    async def listen() -> None:
        async for delta in read_stream(sent(chunk("a"), chunk("b", finish_reason=reason), end), [].append):
            heard.append(delta)

    with pytest.raises(AnswerCutOff, match=reason):
        await listen()
    assert heard == ["a", "b"]


def test_a_finished_answer_is_whole_whatever_becomes_of_the_connection():
    assert deltas(chunk("a", finish_reason="stop"), FetchError("reset")) == ["a"]
    assert deltas(chunk("a", finish_reason="stop"), chunk(), FetchTimeout("late")) == ["a"]


@pytest.mark.parametrize("steps", [[], [chunk("a")], [chunk("a"), DONE], [DONE], [b": nothing but this\n\n"]])
def test_a_stream_that_ends_without_a_reason_has_broken_off(steps: list[bytes]):
    with pytest.raises(BrokenOff):
        deltas(*steps)


@pytest.mark.parametrize("error", [FetchError("reset"), FetchTimeout("late")])
def test_a_connection_that_fails_before_the_end_is_told_as_it_is(error: FetchError):
    with pytest.raises(type(error)) as caught:
        deltas(chunk("a"), error)
    assert caught.value is error


UNREADABLE = (
    "garbage",
    "{",
    "[]",
    "42",
    '"text"',
    '{"choices":"no"}',
    '{"choices":[42]}',
    '{"choices":[{"delta":"no"}]}',
    '{"choices":[{"delta":{"content":42}}]}',
    '{"choices":[{"finish_reason":1}]}',
    '{"response":["no"]}',
    '{"response":true}',
    '{"x":' + "[" * 100_000,
)


@pytest.mark.parametrize("data", UNREADABLE)
def test_an_event_that_cannot_be_read_is_skipped_and_logged(data: str):
    log: list[str] = []
    stream = f"data: {data}\n\n".encode()
    assert deltas(chunk("a"), stream, stream, chunk("b"), END, log=log) == ["a", "b"]
    assert log == [f"an event of the model's service was skipped: {data[:500]}"]


@pytest.mark.parametrize("data", UNREADABLE)
def test_a_stream_of_nothing_that_can_be_read_is_no_answer(data: str):
    with pytest.raises(ModelFailed) as caught:
        deltas(f"data: {data}\n\n".encode(), DONE)
    assert (caught.value.detail, caught.value.log_detail) == (NO_ANSWER, data[:500])


@pytest.mark.parametrize("data", ["null", "", "ping", "{}", '{"type":"ping"}'])
@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r"])
def test_events_that_only_keep_the_connection_open_are_no_part_of_the_answer(data: str, end: str):
    log: list[str] = []
    ping = f"data: {data}{end}".encode()
    assert deltas(ping, chunk("a"), b": comment" + end.encode(), ping, chunk("b"), ping, END, log=log) == ["a", "b"]
    assert log == []


def test_spaces_around_the_end_do_not_matter():
    assert deltas(chunk("a"), END, b"data: [DONE] \r\n\r\n", FetchError("read too far")) == ["a"]


def test_a_number_that_is_no_json_spoils_no_chunk():
    text = chunk("a").replace(b'"logprobs": null', b'"logprobs": NaN, "x": [Infinity, -Infinity]')
    assert b"NaN" in text
    assert deltas(text, END) == ["a"]


def half_event(content: str) -> bytes:
    return b'data: {"choices":[{"delta":{"content":"%s"}}]}\n\n' % content.encode()


@pytest.mark.parametrize("between", [[], [chunk("")], [b": ping\n\n"], [b"data: null\n\n"]])
def test_a_character_split_over_two_chunks_is_whole(between: list[bytes]):
    halves = half_event("x\\ud83e"), *between, half_event("\\udd8ay")
    assert deltas(*halves, END) == ["x", "🦊y"]


@pytest.mark.parametrize(
    ("stream", "pieces"),
    [
        ([half_event("a\\ud83e"), END], ["a", "\ufffd"]),
        ([half_event("a\\ud83e"), chunk("b"), END], ["a", "\ufffdb"]),
        ([half_event("\\udd8aa"), END], ["\ufffda"]),
        ([half_event("\\ud83e\\ud83e\\udd8a"), END], ["\ufffd🦊"]),
    ],
)
def test_half_a_character_that_stays_alone_is_replaced(stream: list[bytes], pieces: list[str]):
    assert deltas(*stream) == pieces


def test_half_a_character_at_the_end_of_a_stream_that_breaks_is_not_swallowed():
    heard: list[Piece] = []

    async def listen() -> None:
        async for piece in read_stream(sent(half_event("a\\ud83e"), FetchError("reset")), [].append):
            heard.append(piece)

    with pytest.raises(FetchError):
        run(listen())
    assert heard == ["a", "\ufffd"]


PART = {"type": "text", "text": "Hello"}
THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}, {"type": "text", "text": " So."}]}


@pytest.mark.parametrize(
    ("content", "pieces"),
    [
        ([PART, PART], ["HelloHello"]),
        ([THOUGHT], [Reasoning("Hm. So.")]),
        ([{"type": "thinking", "thinking": "Hm."}, PART], [Reasoning("Hm."), "Hello"]),
        ([{"type": "reference", "reference_ids": [1]}, PART, 7], ["Hello"]),
        ([], []),
        (["no"], []),
    ],
)
def test_content_may_be_a_list_of_parts(content: Any, pieces: list[Piece]):
    assert deltas(event({"choices": [{"delta": {"content": content}}]}), END) == pieces
    document = {"choices": [{"message": {"content": content}}]}
    assert read_pieces(json.dumps(document).encode()) == pieces


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_is_apart_from_the_text_also_in_one_chunk(name: str):
    stream = [chunk(**{name: "Hm"}), chunk(content="", **{name: "."}), chunk("He", **{name: " So."}), chunk("llo"), END]
    assert deltas(*stream) == [Reasoning("Hm"), Reasoning("."), Reasoning(" So."), "He", "llo"]
    assert deltas(b"".join(stream)) == [Reasoning("Hm. So."), "Hello"]


def test_reasoning_that_is_sent_in_two_fields_is_there_once():
    assert deltas(chunk("a", reasoning="Hm.", reasoning_content="Hm."), END) == [Reasoning("Hm."), "a"]


@pytest.mark.parametrize("value", [None, "", 7, {}, [7], [{"text": None}]])
def test_reasoning_of_another_shape_spoils_no_chunk(value: Any):
    assert deltas(chunk("a", reasoning=value, reasoning_details=value), END) == ["a"]


def test_a_refusal_is_the_answer():
    assert deltas(chunk(refusal="I can't help with that."), END) == ["I can't help with that."]


def test_an_event_without_end_is_no_answer():
    with pytest.raises(ModelFailed) as caught:
        deltas(*[b"data: " + b"x" * 1024] * 1100)
    assert caught.value.detail == NO_ANSWER


@pytest.mark.parametrize(
    "stream",
    [
        b'data: {"error":{"message":"secret"}}\n\n',
        b'data: {"error":"secret"}\n\n',
        b"event: error\ndata: secret\n\n",
        b'data: {"object":"error","message":"secret"}\n\n',
        b'data: {"detail":"secret"}\n\n',
        b'data: {"choices":[{"delta":{"content":""},"finish_reason":"error"}],"why":"secret"}\n\n',
    ],
)
def test_an_error_in_the_stream_is_an_error_and_what_it_says_is_for_the_log(stream: bytes):
    with pytest.raises(ModelFailed) as caught:
        deltas(chunk("a"), stream)
    assert caught.value.detail == REPORTED
    assert "secret" in caught.value.log_detail


def read_pieces(*steps: bytes | FetchError) -> list[Piece]:
    async def read() -> list[Piece]:
        return [piece async for piece in read_document(sent(*steps), [].append)]

    return run(read())


def read(*steps: bytes | FetchError) -> str:
    return "".join(map(str, read_pieces(*steps)))


def test_a_whole_answer_is_read_in_both_shapes():
    assert read(*byte_by_byte([whole(TEXT)])) == TEXT
    assert read(b'{"response":"Hi","usage":{}}') == "Hi"
    assert read(whole(None)) == ""


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"choices":[{"message":{"content":{}}}]}', b"\xff"])
def test_a_whole_answer_of_another_shape_is_none(body: bytes):
    with pytest.raises(ModelFailed, match="is no answer"):
        read(body)


def test_a_whole_answer_may_have_been_cut_off():
    with pytest.raises(AnswerCutOff, match="length"):
        read(b'{"choices":[{"message":{"content":"a"},"finish_reason":"length"}]}')


def test_a_whole_answer_has_its_reasoning_too():
    body = b'{"choices":[{"message":{"content":"<think>Hm.</think>\\n\\nHello","reasoning":"So."}}]}'
    assert read_pieces(body) == [Reasoning("So.Hm."), "Hello"]


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
        async for delta in read_stream(sent(chunk("a <") + b'data: {"error":1}\n\n'), [].append):
            heard.append(delta)

    with pytest.raises(ModelFailed):
        await listen()
    assert heard == ["a <"]
