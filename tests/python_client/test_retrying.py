"""Retries: which requests are sent again, when, and for how long."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.python_flows import Script, problem, reply
from waypost import (
    ApiError,
    CallTimeout,
    ConfigError,
    Forbidden,
    NotFound,
    PreconditionFailed,
    RateLimited,
    Retry,
    ToolError,
    TransportError,
    Unavailable,
    WaypostError,
)
from waypost._core.messages import Call, Reply, Request, parse_retry_after
from waypost._core.retrying import Backoff, sending
from waypost._core.writing import deleting, putting
from waypost._wire import service

ALWAYS = Call(Request(method="GET", path="/"), lambda reply: reply.json())
ONCE = Call(Request(method="POST", path="/"), lambda reply: reply.json(), repeatable=False)
LOST = TransportError("The reply was lost.")
UNSENT = TransportError("The server can't be reached.", never_sent=True)
STORED = {
    "name": "n",
    "etag": '"2"',
    "size": 1,
    "updatedAt": "2026-01-01T00:00:00Z",
    "expiresAt": "2026-01-02T00:00:00Z",
}


def test_a_request_is_repeated_until_it_succeeds() -> None:
    script = Script(LOST, problem(503, "busy"), problem(429, "rate_limited"), reply(200, [1]))
    assert script.run(sending(ALWAYS, Retry())) == [1]
    assert len(script.sent) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 412, 413, 422])
def test_a_refusal_that_repeats_cannot_change_is_raised_immediately(status: int) -> None:
    script = Script(problem(status, "some_code", x_request_id="r-1"))
    with pytest.raises(ApiError) as caught:
        script.run(sending(ALWAYS, Retry()))
    error = caught.value
    assert (error.status, error.code, error.request_id, script.slept) == (status, "some_code", "r-1", [])


def test_the_class_of_a_refusal_follows_its_status() -> None:
    for status, kind in ((403, Forbidden), (404, NotFound), (429, RateLimited), (503, Unavailable), (530, Unavailable)):
        with pytest.raises(kind):
            Script(problem(status, "c")).run(sending(ALWAYS, Retry(max_elapsed=0)))


def test_retry_after_is_waited_for() -> None:
    script = Script(problem(429, "rate_limited", retry_after="7"), reply(200, 1))
    assert script.run(sending(ALWAYS, Retry())) == 1
    assert 7 <= script.slept[0] <= 7.7


def test_a_wait_beyond_the_time_for_retries_is_the_callers() -> None:
    script = Script(problem(503, "daily_limit", retry_after="36000"))
    with pytest.raises(Unavailable) as caught:
        script.run(sending(ALWAYS, Retry(max_elapsed=30)))
    assert (caught.value.retry_after, script.slept) == (36000.0, [])


def test_retries_end_when_their_time_is_over() -> None:
    script = Script(*[LOST] * 1000)
    with pytest.raises(TransportError):
        script.run(sending(ALWAYS, Retry(max_elapsed=30)))
    assert script.now <= 30


def test_what_may_not_be_sent_twice_is_not_repeated_after_a_lost_reply() -> None:
    for outcome in (LOST, problem(503, "busy"), problem(500, "internal")):
        script = Script(outcome)
        with pytest.raises(WaypostError):
            script.run(sending(ONCE, Retry()))
        assert script.slept == []


def test_what_may_not_be_sent_twice_is_repeated_if_nothing_was_done() -> None:
    script = Script(UNSENT, problem(429, "rate_limited"), reply(200, 1))
    assert script.run(sending(ONCE, Retry())) == 1


def test_a_conditional_write_whose_reply_was_lost_is_a_success_if_its_text_is_there() -> None:
    script = Script(LOST, problem(412, "precondition_failed"), reply(200, [1], etag='"2"'), reply(200, STORED))
    assert script.run(putting("/d", b"[1]", '"1"', False, Retry())).etag == '"2"'
    assert script.sent[-1].headers["if-match"] == '"2"'


@pytest.mark.parametrize("found", [reply(200, [2], etag='"2"'), problem(404, "document_not_found")])
def test_a_conditional_write_whose_reply_was_lost_is_in_doubt_if_another_text_is_there(found: Reply) -> None:
    script = Script(LOST, problem(412, "precondition_failed"), found)
    with pytest.raises(TransportError, match="another editor"):
        script.run(putting("/d", b"[1]", '"1"', False, Retry()))


def test_a_conditional_write_that_was_refused_the_first_time_fails() -> None:
    script = Script(UNSENT, problem(412, "precondition_failed"))
    with pytest.raises(PreconditionFailed):
        script.run(putting("/d", b"[1]", '"1"', False, Retry()))


def test_a_deletion_whose_reply_was_lost_is_a_success_if_nothing_is_there() -> None:
    missing = problem(404, "document_not_found")
    assert Script(LOST, missing, missing).run(deleting("/d", None, Retry())) is None
    with pytest.raises(NotFound):
        Script(missing).run(deleting("/d", None, Retry()))
    with pytest.raises(TransportError, match="another editor"):
        Script(LOST, problem(412, "c"), reply(200, 1)).run(deleting("/d", '"1"', Retry()))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("5", 5.0),
        (" 5 ", 5.0),
        ("99999999", 86400.0),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("٥", None),
        ("9" * 400, None),
    ],
)
def test_retry_after_has_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, now=100.0) == seconds


def test_a_page_of_a_proxy_is_an_error_with_its_status() -> None:
    with pytest.raises(Unavailable, match=r"The server replied 502. \(502 http_502\)"):
        Script(Reply(502, {}, b"<html>")).run(sending(ALWAYS, Retry(max_elapsed=0)))


def test_a_redirect_says_which_address_to_use() -> None:
    with pytest.raises(ApiError, match="https://w.example/: use that address"):
        Script(reply(301, location="https://w.example/")).run(sending(ALWAYS, Retry()))


def test_a_success_that_is_no_json_is_no_waypost_server() -> None:
    with pytest.raises(TransportError, match="no Waypost server"):
        Script(Reply(200, {}, b"<!doctype html>")).run(sending(service.health(), Retry(max_elapsed=0)))


@given(st.integers(0, 100), st.floats(0, 86400), st.floats(0, 1, exclude_max=True))
def test_a_delay_is_never_below_what_was_asked_for_and_bounded_above(attempts: int, floor: float, dice: float) -> None:
    backoff = Backoff(0.5, 8.0, lambda: dice)
    for _ in range(attempts):
        backoff.next()
    assert floor <= backoff.next(floor) <= floor + max(8.0, min(floor / 10, 60.0))
    backoff.reset()
    assert backoff.next() <= 0.5


@pytest.mark.parametrize(
    "error",
    [
        ApiError(404, "c", "detail", "title", 2.0, "r", {"code": "c"}),
        NotFound(404, "c", "detail"),
        TransportError("m", never_sent=True),
        ToolError("c", "m", {"d": 1}, authenticated=True),
        CallTimeout("id", 3.0),
        ConfigError("c", "m"),
    ],
)
def test_an_error_is_whole_after_a_process_pool_has_passed_it_on(error: WaypostError) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - its own
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_a_timeout_is_what_asyncio_and_the_standard_library_call_one() -> None:
    assert isinstance(CallTimeout("id", 1), TimeoutError)
