"""The line of a request: which fields it has, and on which level it is written."""

import json

import pytest

from waypost_worker.telemetry.record import BROKE, ENDED, LEFT, RequestRecord
from waypost_worker.telemetry.request_log import is_error, is_logged, request_line


def record(status: int = 200, **fields: object) -> RequestRecord:
    made = RequestRecord("GET", "8f1c2d3e4b5a6978-FRA", 0, True, "/api/sessions/{code}", status)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_a_line_has_all_that_is_known():
    whole = record(
        404, code="session_not_found", caller="guest", trace_id="ab", ms=12, ended=ENDED, kv_ms=9, reads=1, writes=2,
        deletes=3, lists=4, read_bytes=5, written_bytes=6, delivered=7, slowest_ms=8,
    )  # fmt: skip
    assert json.loads(request_line(whole)) == {
        "message": "GET /api/sessions/{code} 404",
        "method": "GET",
        "route": "/api/sessions/{code}",
        "status": 404,
        "ms": 12,
        "caller": "guest",
        "requestId": "8f1c2d3e4b5a6978-FRA",
        "traceId": "ab",
        "code": "session_not_found",
        "ended": "ended",
        "delivered": 7,
        "slowestMs": 8,
        "kv": {"ms": 9, "reads": 1, "writes": 2, "deletes": 3, "lists": 4, "readBytes": 5, "writtenBytes": 6},
    }


def test_what_is_empty_or_zero_is_left_out():
    line = request_line(record())
    assert "\n" not in line
    assert set(json.loads(line)) == {"message", "method", "route", "status", "ms", "caller", "requestId"}


@pytest.mark.parametrize(
    ("level", "logged"),
    [("error", [500, 503]), ("problem", [400, 404, 500, 503]), ("request", [101, 200, 304, 400, 404, 500, 503])],
)
def test_a_level_has_the_lines_from_a_status_on(level: str, logged: list[int]):
    assert [status for status in (101, 200, 304, 400, 404, 500, 503) if is_logged(record(status), level)] == logged


@pytest.mark.parametrize(("how", "fails"), [("", False), (ENDED, False), (LEFT, False), (BROKE, True)])
def test_a_stream_that_breaks_is_an_error_on_every_level(how: str, fails: bool):
    stream = record(ended=how)
    assert (is_error(stream), is_logged(stream, "error")) == (fails, fails)


@pytest.mark.parametrize(("status", "fails"), [(499, False), (500, True)])
def test_the_service_has_failed_from_500_on(status: int, fails: bool):
    assert is_error(record(status)) is fails
