"""Replies: one table from code to status, and problem documents that say what they are."""

import json
from collections.abc import Callable

import pytest

from simulation.client import LowerHeaders, make_client, no_background
from waypost_worker.errors import (
    BudgetSpent,
    HeaderTooLarge,
    InvalidParameter,
    InvalidToken,
    MethodNotAllowed,
    RateLimited,
    RouteNotFound,
    StorageUnavailable,
    Unconfigured,
    UriTooLong,
    WaypostError,
)
from waypost_worker.http.messages import STATUS, Headers, Request, bounded, json_response, problem_response


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


def test_a_budget_that_is_spent_half_way_says_when_to_come_back():
    response = problem_response(BudgetSpent("Wait a minute.", 60))
    assert (response.status, response.headers["Retry-After"]) == (503, "60")


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


@pytest.mark.parametrize("text", ["a=%ff", "a=%ED%A0%80", "a=%C0%AF", "%C3=a", "a=%C3%28"])
def test_a_query_that_is_not_utf_8_is_refused_and_not_mended(text: str):
    with pytest.raises(InvalidParameter):
        query(text)


def test_a_query_has_at_most_100_parameters():
    names = [f"p{number}" for number in range(101)]
    assert len(query("&".join(names[:100]))) == 100
    with pytest.raises(InvalidParameter):
        query("&".join(names))
    with pytest.raises(InvalidParameter):
        query("&" * 100)


def with_head(path: str = "/", **fields: str) -> Request:
    return bounded(Request("GET", path, "", LowerHeaders(fields), no_body, no_background))


def test_a_path_has_at_most_2048_bytes():
    assert with_head("/" * 2048).path == "/" * 2048
    with pytest.raises(UriTooLong):
        with_head("/" * 2049)


def test_a_head_whose_fields_are_all_short_is_taken_as_it_is():
    request = Request("GET", "/", "", {"accept": "x" * 4096}, no_body, no_background)
    assert bounded(request) is request


@pytest.mark.parametrize("made", [LowerHeaders, dict])
def test_a_header_field_that_is_read_has_at_most_4096_characters(made: Callable[[dict[str, str]], Headers]):
    fields = {"accept": "x" * 4096, "origin": "x" * 4097}
    headers = bounded(Request("GET", "/", "", made(fields), no_body, no_background)).headers
    assert headers.get("accept") == "x" * 4096
    assert headers.get("host") is None
    with pytest.raises(HeaderTooLarge, match="origin"):
        headers.get("origin")


@pytest.mark.parametrize(
    ("method", "url", "name"),
    [
        ("GET", "/api/sessions/K7Q2M9XA/tools", "cf-ray"),
        ("POST", "/api/sessions", "origin"),
        ("POST", "/api/sessions", "sec-fetch-site"),
        ("POST", "/api/sessions", "content-type"),
        ("POST", "/api/sessions", "content-encoding"),
        ("POST", "/api/sessions", "content-length"),
        ("OPTIONS", "/api/sessions", "access-control-request-method"),
        ("GET", "/api/sessions/s/theme", "if-match"),
        ("GET", "/api/sessions/s/theme", "if-none-match"),
        ("GET", "/api/stream?code=K7Q2M9XA", "authorization"),
        ("GET", "/api/chat/t/stream", "last-event-id"),
        ("GET", "/api/chat/t/stream", "accept"),
    ],
)
async def test_a_long_header_field_is_refused_wherever_it_is_read(method: str, url: str, name: str):
    reply = await make_client().open(method, url, body=b"{}", headers={name: "x" * 4097})
    problem = json.loads(reply.body)
    # A name for the request that is none is not an error: it gets another one.
    expected = (405, "method_not_allowed") if name == "cf-ray" else (431, "header_too_large")
    assert (reply.status, problem["code"]) == expected
    assert len(reply.headers["X-Request-Id"]) == 16


async def test_a_long_header_field_that_nobody_reads_is_nobodys_business():
    headers = {"Cookie": "x" * 10_000, "User-Agent": "x" * 10_000}
    assert (await make_client().call("GET", "/health", headers=headers)).status == 200


def test_a_query_has_at_most_4096_bytes():
    assert query("a=" + "x" * 4094)["a"]
    with pytest.raises(InvalidParameter):
        query("a=" + "x" * 4095)
