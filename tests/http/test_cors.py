"""What the pages that may call may send, and read of a reply."""

import pytest

from simulation.client import LowerHeaders, no_background
from waypost_worker.http.cors import allow_origin, asks_for_authorization, is_preflight, preflight_response
from waypost_worker.http.messages import Request, Response
from waypost_worker.limits import MAX_PARAMETER_HEADERS

ALWAYS = (
    "Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID, "
    "MCP-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name, traceparent, tracestate, baggage"
)


async def no_body(limit: int) -> bytes | None:
    return b""


def request(method: str = "GET", **headers: str) -> Request:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, "/", "", LowerHeaders(fields), no_body, no_background)


def preflight(headers: str) -> Request:
    """A preflight of a page that wants to send `headers`."""
    return request("OPTIONS", access_control_request_method="POST", access_control_request_headers=headers)


def repeated(headers: str) -> str:
    """What the reply to a preflight allows besides what is always allowed."""
    allowed = preflight_response(preflight(headers)).headers["Access-Control-Allow-Headers"]
    assert allowed.startswith(ALWAYS)
    return allowed.removeprefix(ALWAYS).removeprefix(", ")


def test_a_page_may_read_a_reply_and_its_headers():
    response = Response(200)
    allow_origin(response, "https://a.example")
    assert response.headers == {
        "Access-Control-Allow-Origin": "https://a.example",
        "Access-Control-Expose-Headers": (
            "Content-Disposition, ETag, Location, Mcp-Session-Id, RateLimit, RateLimit-Policy, Retry-After, "
            "Server-Timing, Waypost-Before, Waypost-Storage, Waypost-Truncated, WWW-Authenticate, X-Request-Id"
        ),
    }


def test_only_a_browser_that_asks_before_it_sends_makes_a_preflight():
    assert is_preflight(request("OPTIONS", access_control_request_method="POST"))
    assert not is_preflight(request("OPTIONS"))
    assert not is_preflight(request("POST", access_control_request_method="POST"))


def test_a_preflight_names_what_may_be_sent_and_never_credentials():
    response = preflight_response(request("OPTIONS", access_control_request_method="POST"))
    assert (response.status, response.body) == (204, None)
    assert response.headers == {
        "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
        "Access-Control-Allow-Headers": ALWAYS,
        "Access-Control-Max-Age": "7200",
    }


def test_headers_that_repeat_an_argument_are_allowed_by_the_name_that_the_tool_chose():
    assert repeated("content-type,mcp-param-region,x-evil, Mcp-Param-Size.1") == "mcp-param-region, Mcp-Param-Size.1"


@pytest.mark.parametrize(
    "headers",
    [
        "",
        "x-mcp-param-region",
        "mcp-param-",
        "mcp-parameter-region",
        "mcp-param-r\u00e9gion",
        "mcp-param-a b",
        "mcp-param-a:b",
        "mcp-param-a\r\nset-cookie",
        "mcp-param-" + "a" * 65,
        "*",
        "x-forwarded-for",
    ],
)
def test_no_other_header_is_repeated(headers: str):
    assert repeated(headers) == ""


def test_no_more_headers_are_repeated_than_a_tool_has_arguments():
    headers = [f"mcp-param-{n}" for n in range(MAX_PARAMETER_HEADERS + 1)]
    assert repeated(",".join(headers)) == ", ".join(headers[:-1])
    assert repeated(f"mcp-param-{'a' * 64}") == f"mcp-param-{'a' * 64}"


@pytest.mark.parametrize(
    ("headers", "asks"),
    [
        ("authorization", True),
        ("content-type, Authorization", True),
        ("content-type,authorization,mcp-method", True),
        ("", False),
        ("x-authorization", False),
        ("content-type", False),
    ],
)
def test_a_preflight_tells_whether_the_page_has_a_token_to_send(headers: str, asks: bool):
    assert asks_for_authorization(preflight(headers)) is asks
    assert not asks_for_authorization(request("OPTIONS"))
