"""The handler of a request, by method and path. An unknown path and an unsupported method are different errors."""

import pytest

from waypost_worker.errors import InvalidParameter, MethodNotAllowed, RouteNotFound
from waypost_worker.http.routing import Route, Router, canonical_path

ROUTER = Router([
    Route("GET", "/a", "list", ()),
    Route("POST", "/a", "create", ()),
    Route("GET", "/a/fixed", "fixed", ()),
    Route("GET", "/a/{id}", "read", ()),
    Route("PUT", "/a/{id}", "replace", ()),
    Route("POST", "/a/{id}/b/{name}", "nested", ()),
    Route("DELETE", "/only", "delete", ()),
])  # fmt: skip


def find(method: str, path: str) -> tuple[str, dict[str, str]]:
    route, parameters = ROUTER.find(method, path)
    return route.handler, parameters


@pytest.mark.parametrize(
    ("method", "path", "handler", "parameters"),
    [
        ("GET", "/a", "list", {}),
        ("POST", "/a", "create", {}),
        ("HEAD", "/a", "list", {}),
        ("GET", "/a/7", "read", {"id": "7"}),
        ("GET", "/a/fixed", "fixed", {}),
        ("POST", "/a/x/b/y", "nested", {"id": "x", "name": "y"}),
        ("GET", "/a/%C3%A9%2Fb%3A", "read", {"id": "\u00e9/b:"}),
        ("GET", "/a/%2e%2e", "read", {"id": ".."}),
        ("GET", "/a/%00", "read", {"id": "\0"}),
        ("GET", "/a/%zz", "read", {"id": "%zz"}),
        ("GET", "/a/a+b", "read", {"id": "a+b"}),
    ],
)
def test_a_request_goes_to_its_route(method: str, path: str, handler: str, parameters: dict[str, str]):
    assert find(method, path) == (handler, parameters)


@pytest.mark.parametrize("path", ["/", "", "/b", "/a/", "//a", "/a//b/x", "/a/x/b/", "/A", "/a/x/b/y/z", "/{id}", "a"])
def test_a_path_that_no_template_fits_is_not_found(path: str):
    with pytest.raises(RouteNotFound):
        find("GET", path)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/a", ("GET", "HEAD", "POST")),
        ("POST", "/a/7", ("GET", "HEAD", "PUT")),
        ("GET", "/only", ("DELETE",)),
        ("HEAD", "/only", ("DELETE",)),
        ("PUT", "/a/fixed", ("GET", "HEAD")),
        ("get", "/only", ("DELETE",)),
        ("OPTIONS", "/a/x/b/y", ("POST",)),
    ],
)
def test_a_path_for_other_methods_names_them_sorted(method: str, path: str, allowed: tuple[str, ...]):
    with pytest.raises(MethodNotAllowed) as caught:
        find(method, path)
    assert caught.value.allowed == allowed


@pytest.mark.parametrize("segment", ["%ff", "%C3", "%ED%A0%80"])
def test_a_segment_that_is_not_utf_8_is_refused(segment: str):
    with pytest.raises(InvalidParameter):
        find("GET", f"/a/{segment}")


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("/mcp", "/mcp"),
        ("/mcp/", "/mcp"),
        ("/mcp//", "/mcp"),
        ("//mcp", "/mcp"),
        ("/mcp/K7Q2M9X1/", "/mcp/K7Q2M9X1"),
        ("//mcp/K7Q2M9X1", "/mcp/K7Q2M9X1"),
        ("/mcp//K7Q2M9X1", "/mcp/K7Q2M9X1"),
        ("///mcp///K7Q2M9X1///", "/mcp/K7Q2M9X1"),
        ("//api/sessions", "/api/sessions"),
        ("//", "/"),
        ("/", "/"),
        # Not the address of MCP.
        ("/mcpx/", "/mcpx/"),
        ("/x/mcp/", "/x/mcp/"),
        # An empty variable is no reason to do something else.
        ("/api/sessions/", "/api/sessions/"),
        ("/api/sessions//tools", "/api/sessions//tools"),
        ("/api/conversations//messages", "/api/conversations//messages"),
        ("/%2Fmcp/", "/%2Fmcp/"),
        ("", ""),
        ("mcp/", "/mcp"),
    ],
)
def test_slashes_that_separate_nothing_are_ignored_where_an_address_is_typed(path: str, canonical: str):
    assert canonical_path(path) == canonical
