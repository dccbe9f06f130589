"""Which pages may call: those whose origin is configured, compared exactly."""

import pytest

from simulation.client import LowerHeaders, no_background
from waypost_worker.http.cors import allow_origin, is_preflight, preflight_response
from waypost_worker.http.messages import Request, Response

ALLOWED = frozenset({"https://a.example", "https://b.example:8443"})


async def no_body(limit: int) -> bytes | None:
    return b""


def request(method: str = "GET", **headers: str) -> Request:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, "/", "", LowerHeaders(fields), no_body, no_background)


def headers_for(origin: str | None, allowed: frozenset[str] = ALLOWED) -> dict[str, str]:
    response = Response(200)
    allow_origin(request(origin=origin) if origin else request(), response, allowed)
    return response.headers


@pytest.mark.parametrize("origin", sorted(ALLOWED))
def test_a_named_origin_may_read_the_reply_and_its_headers(origin: str):
    assert headers_for(origin) == {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": (
            "ETag, Location, Mcp-Session-Id, RateLimit, RateLimit-Policy, Retry-After, Server-Timing, Waypost-Before, "
            "Waypost-Storage, Waypost-Truncated"
        ),
    }


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "*",
        "http://a.example",
        "https://a.example:443",
        "https://a.example.evil.example",
        "https://evil-a.example",
        "https://A.example",
        "https://a.example/",
        "https://b.example",
    ],
)
def test_any_other_origin_may_not_and_caches_are_told_that_it_matters(origin: str | None):
    assert headers_for(origin) == {"Vary": "Origin"}


def test_without_named_origins_nothing_is_said():
    assert headers_for("https://a.example", frozenset()) == {}


def test_only_a_browser_that_asks_before_it_sends_makes_a_preflight():
    assert is_preflight(request("OPTIONS", access_control_request_method="POST"))
    assert not is_preflight(request("OPTIONS"))
    assert not is_preflight(request("POST", access_control_request_method="POST"))


def test_a_preflight_names_what_may_be_sent_and_never_credentials():
    response = preflight_response()
    assert (response.status, response.body) == (204, None)
    assert response.headers == {
        "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
        "Access-Control-Allow-Headers": (
            "Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID, "
            "MCP-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name"
        ),
        "Access-Control-Max-Age": "7200",
    }
