"""Replies: one table from code to status, and problem documents that say what they are."""

import json

import pytest

from tests.support.client import LowerHeaders, no_background
from waypost.errors import (
    InvalidParameter,
    InvalidToken,
    MethodNotAllowed,
    RateLimited,
    RouteNotFound,
    StorageUnavailable,
    Unconfigured,
    WaypostError,
)
from waypost.http import STATUS, Request, json_response, problem_response


def every_error(base: type[WaypostError] = WaypostError) -> list[type[WaypostError]]:
    return [kind for sub in base.__subclasses__() for kind in [sub, *every_error(sub)]]


CODED = [kind for kind in every_error() if "code" in vars(kind)]


def test_every_error_with_a_code_has_a_status_and_every_status_an_error():
    assert {kind.code for kind in CODED} == set(STATUS)


def test_no_two_errors_share_a_code_or_a_title():
    assert len({kind.code for kind in CODED}) == len({kind.title for kind in CODED}) == len(CODED)


def test_an_error_that_can_be_raised_has_a_code():
    groups = {kind for kind in every_error() if kind.__subclasses__()}
    assert set(every_error()) - groups == set(CODED)


def test_the_statuses_are_those_of_errors():
    assert all(400 <= status < 600 for status in STATUS.values())


def test_the_table_can_not_be_changed():
    with pytest.raises(TypeError):
        STATUS["not_found"] = 200  # type: ignore[index]


def test_a_problem_document_is_pinned():
    response = problem_response(RouteNotFound("Nothing is served at this path."))
    assert (response.status, response.headers) == (
        404,
        {"Content-Type": "application/problem+json", "Cache-Control": "no-store"},
    )
    assert json.loads(response.body) == {
        "type": "about:blank",
        "title": "No such path",
        "status": 404,
        "detail": "Nothing is served at this path.",
        "code": "not_found",
    }


@pytest.mark.parametrize(
    ("error", "name", "value"),
    [
        (InvalidToken("no"), "WWW-Authenticate", "Bearer"),
        (MethodNotAllowed("no", ("GET", "HEAD")), "Allow", "GET, HEAD"),
        (RateLimited("no", 60), "Retry-After", "60"),
        (StorageUnavailable("no"), "Retry-After", "2"),
        (Unconfigured("no"), "Retry-After", None),
        (RouteNotFound("no"), "WWW-Authenticate", None),
    ],
)
def test_an_error_says_in_a_header_what_to_do(error: WaypostError, name: str, value: str | None):
    assert problem_response(error).headers.get(name) == value


def test_an_answer_is_json_that_is_never_cached():
    response = json_response({"a": 1}, 201, {"Location": "/x"})
    assert (response.status, response.body) == (201, b'{"a":1}')
    assert response.headers == {"Content-Type": "application/json", "Cache-Control": "no-store", "Location": "/x"}


def test_what_is_json_already_is_not_encoded_again():
    assert json_response(b'{"n":1.0}').body == b'{"n":1.0}'


async def no_body(limit: int) -> bytes | None:
    return b""


def query(text: str) -> dict[str, str]:
    return Request("GET", "/", text, LowerHeaders({}), no_body, no_background).query()


def test_a_query_is_read_with_its_encoding_undone():
    assert query("a=%C3%A9+b&c=&d") == {"a": "\u00e9 b", "c": "", "d": ""}
    assert query("") == {}


@pytest.mark.parametrize("text", ["a=1&a=1", "a=1&b=2&%61=3"])
def test_a_parameter_given_twice_is_refused(text: str):
    with pytest.raises(InvalidParameter):
        query(text)


def test_a_query_has_at_most_4096_bytes():
    assert query("a=" + "x" * 4094)["a"]
    with pytest.raises(InvalidParameter):
        query("a=" + "x" * 4095)
