"""A question to a service: what is sent a second time, after which wait, and what each failure is called."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from simulation.seeded_random import SeededRandom
from simulation.virtual_time import VirtualClock, run
from tests.support.completions import DONE, byte_by_byte, chunk, event, said, whole
from tests.support.fake_http import EVENT_STREAM, JSON, FakeHttp, Pause, Reply
from waypost_worker.errors import ModelBusy, ModelError, ModelFailed, ModelTimedOut
from waypost_worker.models.model import AnswerCutOff, ModelTool, Piece, Reasoning, ToolUse
from waypost_worker.models.refused_tools import NO_TOOLS
from waypost_worker.models.service import request_completion
from waypost_worker.models.transport import FetchedResponse, FetchError

TIMEOUT_SECONDS = 30
RIGHT = Reply(said("Hello", " there"))
UNREACHABLE = "The model's service could not be reached."
BROKEN_OFF = "The model's answer broke off."
TOO_SLOW = "The model's service said nothing for too long."


def ask(http: FakeHttp, seed: int = 0, tools: Sequence[ModelTool] = ()) -> AsyncGenerator[Piece, None]:
    async def send() -> FetchedResponse:
        return await http.post("https://model.example", {}, b"{}", TIMEOUT_SECONDS)

    return request_completion(send, VirtualClock(), SeededRandom(seed), [].append, tools)


def to_http_date(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")


def answered(http: FakeHttp, seed: int = 0, tools: Sequence[ModelTool] = ()) -> list[Piece]:
    async def listen() -> list[Piece]:
        return [delta async for delta in ask(http, seed, tools)]

    deltas = run(listen())
    assert http.open == 0
    return deltas


def failed(http: FakeHttp, tools: Sequence[ModelTool] = ()) -> tuple[list[Piece], ModelError]:
    """The deltas, and the error after them."""
    deltas: list[Piece] = []

    async def listen() -> None:
        async for delta in ask(http, tools=tools):
            deltas.append(delta)

    with pytest.raises(ModelError) as caught:
        run(listen())
    assert http.open == 0
    return deltas, caught.value


def refusal(status: int, retry_after: str | None = None) -> Reply:
    headers = JSON if retry_after is None else {**JSON, "retry-after": retry_after}
    return Reply([b'{"error":', b'{"message":"no"}}'], status, headers)


def unreachable() -> Reply:
    return Reply(before=[FetchError("refused")])


def test_a_good_answer_is_asked_for_once():
    http = FakeHttp(RIGHT)
    assert answered(http) == ["Hello", " there"]
    assert len(http.sent) == 1


def test_a_whole_answer_is_one_delta():
    assert answered(FakeHttp(Reply([whole("Hello")], headers={"content-type": "Application/JSON; charset=utf-8"}))) == [
        "Hello"
    ]


@pytest.mark.parametrize(
    "first",
    [
        unreachable(),
        Reply([FetchError("reset")]),
        Reply([]),
        Reply(said()[:1]),
        Reply([chunk(role="assistant"), FetchError("reset")]),
        *(refusal(status) for status in (408, 409, 429, 500, 502, 503, 504, 529, 599)),
    ],
)
def test_what_may_pass_is_asked_a_second_time_before_the_first_delta(first: Reply):
    http = FakeHttp(first, RIGHT)
    assert answered(http) == ["Hello", " there"]
    assert len(http.sent) == 2


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (unreachable(), UNREACHABLE),
        (Reply([FetchError("reset")]), BROKEN_OFF),
        (Reply([]), BROKEN_OFF),
        (refusal(503), "The model's service answered with status 503."),
        (refusal(504), "The model's service answered with status 504."),
    ],
)
def test_the_second_failure_is_told(reply: Reply, sentence: str):
    http = FakeHttp(unreachable(), reply)
    deltas, error = failed(http)
    assert (deltas, type(error), error.detail, len(http.sent)) == ([], ModelFailed, sentence, 2)


@pytest.mark.parametrize("status", [301, 302, 400, 401, 402, 403, 404, 413, 422])
def test_another_status_is_told_at_once(status: int):
    http = FakeHttp(refusal(status))
    deltas, error = failed(http)
    assert (deltas, len(http.sent)) == ([], 1)
    assert (type(error), error.detail) == (ModelFailed, f"The model's service answered with status {status}.")
    assert error.log_detail == '{"error":{"message":"no"}}'


def test_what_the_service_says_of_its_refusal_is_cut_and_only_for_the_log():
    endless = [*["👋".encode() * 100] * 5, FetchError("read too far")]
    bodies = [["é€👋".encode() * 100] * 100, endless, [b"no", FetchError("reset")], [b"\xff"]]
    for body, logged in zip(bodies, [("é€👋" * 200)[:500], "👋" * 500, "no", "\ufffd"], strict=True):
        reply = Reply(body, status=400)
        _, error = failed(FakeHttp(reply))
        assert error.log_detail == logged
        assert error.detail == "The model's service answered with status 400."


@pytest.mark.parametrize("seed", range(5))
def test_between_the_two_is_a_short_wait_of_which_half_is_jitter(seed: int):
    http = FakeHttp(unreachable(), RIGHT)
    answered(http, seed)
    assert 0.25 <= http.sent[1].at < 0.5


def test_two_who_failed_together_do_not_come_back_together():
    waits = set()
    for seed in range(5):
        http = FakeHttp(unreachable(), RIGHT)
        answered(http, seed)
        waits.add(http.sent[1].at)
    assert len(waits) == 5


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("1", 1), ("5", 5), ("0.5", 0.5)])
def test_who_asks_to_be_left_alone_for_a_moment_is(text: str, seconds: float):
    http = FakeHttp(refusal(429, text), RIGHT)
    answered(http)
    assert seconds + 0.25 <= http.sent[1].at < seconds + 0.5


@pytest.mark.parametrize(
    ("text", "seconds"), [("6", 6), ("5.01", 6), ("86400", 86400), ("86401", None), ("1e9", None), ("inf", None)]
)
def test_a_service_that_is_busy_for_longer_is_not_asked_again_and_says_for_how_long(text: str, seconds: int | None):
    http = FakeHttp(refusal(429, text))
    _, error = failed(http)
    assert (type(error), error.retry_after_seconds, len(http.sent)) == (ModelBusy, seconds, 1)
    assert error.detail == "The model's service answered with status 429. It has too much to do; try again later."


def test_a_retry_after_may_be_a_date():
    http = FakeHttp(refusal(429, to_http_date(VirtualClock().now_ms() + 90_000)))
    _, error = failed(http)
    assert (error.retry_after_seconds, len(http.sent)) == (90, 1)
    http = FakeHttp(refusal(429, "Thu, 01 Jan 1970 00:00:00 GMT"), RIGHT)
    assert answered(http) == ["Hello", " there"]


@pytest.mark.parametrize("text", ["nan", "-1", "soon", ""])
def test_a_retry_after_that_is_none_counts_as_missing(text: str):
    http = FakeHttp(refusal(429, text), refusal(429, text))
    _, error = failed(http)
    assert (type(error), error.retry_after_seconds, len(http.sent)) == (ModelBusy, None, 2)


@pytest.mark.parametrize(
    ("status", "retry_after", "kind"),
    [
        (429, None, ModelBusy),
        (503, "9", ModelBusy),
        (503, None, ModelFailed),
        (529, None, ModelBusy),
        (500, "9", ModelFailed),
    ],
)
def test_a_service_is_busy_by_its_status(status: int, retry_after: str | None, kind: type[ModelError]):
    http = FakeHttp(refusal(status, retry_after), refusal(status, retry_after))
    assert type(failed(http)[1]) is kind


@pytest.mark.parametrize(
    "reply", [Reply(before=[Pause(31)]), Reply([Pause(31)]), Reply([chunk(role="assistant"), Pause(31)])]
)
def test_silence_before_the_first_delta_is_a_time_out_and_not_repeated(reply: Reply):
    http = FakeHttp(reply)
    deltas, error = failed(http)
    assert (deltas, type(error), error.detail, len(http.sent)) == ([], ModelTimedOut, TOO_SLOW, 1)


def test_a_second_attempt_can_run_out_of_time_too():
    http = FakeHttp(unreachable(), Reply([Pause(31)]))
    assert isinstance(failed(http)[1], ModelTimedOut)


@pytest.mark.parametrize(
    ("steps", "kind", "sentence"),
    [
        ([FetchError("reset")], ModelFailed, BROKEN_OFF),
        ([], ModelFailed, BROKEN_OFF),
        ([Pause(31)], ModelTimedOut, TOO_SLOW),
        ([b"data: garbage\n\n"], ModelFailed, BROKEN_OFF),
        ([DONE], ModelFailed, BROKEN_OFF),
        ([b'data: {"error":{}, "error":{"a":1}}\n\n'], ModelFailed, "The model's service reported an error."),
    ],
)
def test_after_the_first_delta_nothing_is_repeated(steps: list[bytes], kind: type[ModelError], sentence: str):
    http = FakeHttp(Reply([chunk("Hel"), chunk("lo"), *steps]))
    deltas, error = failed(http)
    assert (deltas, type(error), error.detail, len(http.sent)) == (["Hel", "lo"], kind, sentence, 1)


def test_pauses_that_are_short_enough_may_be_many():
    slow = [step for frame in said(*"abc") for step in (Pause(29), frame)]
    assert answered(FakeHttp(Reply(slow, before=[Pause(29)]))) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "reply",
    [
        Reply([event({"response": ""}), DONE]),
        Reply(said("", "")),
        Reply([whole("")], headers=JSON),
        Reply([whole(None)], headers=JSON),
    ],
)
def test_an_answer_without_a_word_is_none(reply: Reply):
    http = FakeHttp(reply)
    _, error = failed(http)
    assert (type(error), error.detail, len(http.sent)) == (ModelFailed, "The model said nothing.", 1)


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "text/plain", "application/x-ndjson", ""])
def test_what_is_declared_to_be_something_else_is_no_answer(kind: str):
    http = FakeHttp(Reply([b"<h1>Sign in</h1>"], headers={"content-type": kind}))
    _, error = failed(http)
    assert error.detail == "The model's service sent something that is no answer."
    assert (error.log_detail, len(http.sent)) == ("<h1>Sign in</h1>", 1)


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/json", "application/octet-stream"])
@pytest.mark.parametrize(
    "first", [b"", b": keep-alive\n\n", b"\r\n\r\n", b"\xef\xbb\xbf", b"event: ping\ndata: {}\n\n"]
)
def test_an_event_stream_is_one_whatever_type_is_declared(kind: str | None, first: bytes):
    headers = {} if kind is None else {"content-type": kind}
    assert answered(FakeHttp(Reply(byte_by_byte([first, *said("a")]), headers=headers))) == ["a"]


@pytest.mark.parametrize("kind", [None, "text/plain", "text/event-stream"])
def test_a_document_is_one_whatever_type_is_declared(kind: str | None):
    headers = {} if kind is None else {"content-type": kind}
    assert answered(FakeHttp(Reply([b"\n ", whole("Hello")], headers=headers))) == ["Hello"]


def test_any_status_of_success_brings_an_answer():
    assert answered(FakeHttp(Reply(said("a"), status=201))) == ["a"]


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([chunk(reasoning="Hm."), chunk(finish_reason="stop")], "The model thought, and said nothing."),
        (
            [chunk(reasoning="Hm."), chunk(finish_reason="length")],
            "The model reached its limit of length while it was thinking, before it said anything.",
        ),
    ],
)
def test_reasoning_alone_is_no_answer(steps: list[bytes], sentence: str):
    http = FakeHttp(Reply(steps))
    pieces, error = failed(http)
    assert (pieces, error.detail, len(http.sent)) == ([Reasoning("Hm.")], sentence, 1)


def test_reasoning_comes_apart_from_the_text():
    http = FakeHttp(Reply([chunk(reasoning_content="Hm."), *said("Hello")]))
    assert answered(http) == [Reasoning("Hm."), "Hello"]


TOOLS = [ModelTool("add_note", "", {"type": "object"})]
CALL = chunk(tool_calls=[{"index": 0, "id": "a", "function": {"name": "add_note", "arguments": "{}"}}])
CALLED = ToolUse("a", "add_note", {})


def test_a_call_is_an_answer_without_a_word():
    assert answered(FakeHttp(Reply([CALL, *said(finish_reason="tool_calls")])), tools=TOOLS) == [CALLED]
    thought = chunk(reasoning_content="Hm.")
    assert answered(FakeHttp(Reply([thought, CALL, *said()])), tools=TOOLS) == [Reasoning("Hm."), CALLED]


def test_a_call_that_was_not_asked_for_is_no_answer():
    deltas, error = failed(FakeHttp(Reply([CALL, *said(finish_reason="tool_calls")])))
    assert (deltas, error.detail) == ([], "The model said nothing.")


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_service_that_refuses_tools_is_named_as_the_reason_and_not_asked_again(status: int):
    refused = Reply([b'{"error":{"message":"m does not support tools"}}'], status, JSON)
    http = FakeHttp(refused, RIGHT)
    deltas, error = failed(http, TOOLS)
    assert (deltas, type(error), error.detail, len(http.sent)) == ([], ModelFailed, NO_TOOLS, 1)
    assert "does not support tools" in error.log_detail
    without = Reply([b'{"error":{"message":"m does not support tools"}}'], 400, JSON)
    assert failed(FakeHttp(without))[1].detail == "The model's service answered with status 400."


def test_a_call_that_the_model_wrote_wrongly_is_asked_for_a_second_time():
    data = {"error": {"message": "Failed to call a function.", "code": "tool_use_failed"}}
    for first in (Reply([event(data)]), Reply([json.dumps(data).encode()], 400, JSON)):
        http = FakeHttp(first, Reply([CALL, *said()]))
        assert answered(http, tools=TOOLS) == [CALLED]
        assert len(http.sent) == 2
    assert failed(FakeHttp(Reply([event(data)]), Reply([event(data)])), TOOLS)[1].detail == (
        "The model's service reported an error."
    )


async def test_a_caller_who_stops_listening_frees_the_connection():
    http = FakeHttp(Reply([chunk("a"), chunk("b"), Pause(1)]))

    async def listen_to_one() -> None:
        async with aclosing(ask(http)) as deltas:
            assert await anext(deltas) == "a"
            assert http.open == 1
        assert http.open == 0

    await listen_to_one()


def test_no_sentence_for_the_caller_holds_what_the_other_side_said():
    replies = [
        Reply(before=[FetchError("secret")]),
        Reply([FetchError("secret")]),
        Reply([b"data: secret\n\n", DONE]),
        Reply([b"secret"], headers=EVENT_STREAM | {"content-type": "text/secret"}),
        Reply([b"secret"], status=400),
        Reply([b"event: error\ndata: secret\n\n"]),
    ]
    for reply in replies:
        _, error = failed(FakeHttp(reply, reply))
        assert "secret" not in error.detail
        assert "secret" in error.log_detail


def test_an_answer_that_was_cut_off_is_one_unless_it_has_no_word():
    said_something = FakeHttp(Reply([chunk("a"), chunk("b", finish_reason="length")]))
    with pytest.raises(AnswerCutOff):
        answered(said_something)
    assert len(said_something.sent) == 1
    _, error = failed(FakeHttp(Reply([chunk(finish_reason="length")])))
    assert error.detail == "The model said nothing."
