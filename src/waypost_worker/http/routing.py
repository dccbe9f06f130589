"""Finds the handler for a method and a path; tells a path without this method (405) from an unknown path (404)."""

from collections.abc import Iterable
from typing import Generic, TypeVar
from urllib.parse import unquote

import msgspec

from waypost_worker.errors import InvalidParameter, MethodNotAllowed, RouteNotFound
from waypost_worker.security.rate_limits import Limit

H = TypeVar("H")


class Route(msgspec.Struct, Generic[H], frozen=True):
    """One row of the route table. `template` has `{name}` where a segment is a parameter; a request spends `limits`.

    `uses` of its address's budget are spent before the handler runs. More than one pay in advance for what the request
    must write at its end.
    """

    method: str
    template: str
    handler: H
    limits: tuple[Limit, ...]
    uses: int = 1


class Router(Generic[H]):
    """Finds the route. If several templates fit, the one with the most fixed segments wins, as in OpenAPI:
    https://spec.openapis.org/oas/v3.1.1.html#path-templating-matching"""

    def __init__(self, routes: Iterable[Route[H]]) -> None:
        split = [(route, tuple(route.template.split("/"))) for route in routes]
        # The sort is stable: of two with as many fixed segments, the first in the table wins.
        self._routes = sorted(split, key=lambda found: -_fixed_segments(found[1]))
        # A template without parameters is a path itself, and no other template that fits has as many fixed segments.
        self._fixed = {(route.method, route.template): route for route, _ in self._routes if "{" not in route.template}

    def find(self, method: str, path: str) -> tuple[Route[H], dict[str, str]]:
        """The route, and its parameters, percent-decoded. `HEAD` is served by `GET`'s handler.

        Raises:
            RouteNotFound: no template fits the path.
            MethodNotAllowed: only templates of other methods do.
            InvalidParameter: a segment is not percent-encoded UTF-8.
        """
        wanted = "GET" if method == "HEAD" else method
        if (known := self._fixed.get((wanted, path))) is not None:
            return known, {}
        segments = tuple(path.split("/"))
        allowed: set[str] = set()
        fixed = 0
        for route, template in self._routes:
            if allowed and _fixed_segments(template) < fixed:
                break
            if _fits(template, segments):
                if route.method == wanted:
                    return route, _parameters(template, segments)
                allowed.add(route.method)
                fixed = _fixed_segments(template)
        if not allowed:
            raise RouteNotFound("Nothing is served at this path.")
        if "GET" in allowed:
            allowed.add("HEAD")
        methods = tuple(sorted(allowed))
        raise MethodNotAllowed(f"This path takes {', '.join(methods)}.", methods)


def is_mcp(path: str) -> bool:
    """Whether `path`, a canonical one, is an address of MCP."""
    return path == "/mcp" or path.startswith("/mcp/")


def canonical_path(path: str) -> str:
    """`path` as the route table has it: one slash at its beginning, and for MCP none that separates nothing.

    People type the address of MCP into settings, and clients join it to a base that ends with a slash. Other paths are
    made by programs, where an empty segment is a variable that was not set: `DELETE /api/sessions/` must not be taken
    for `DELETE /api/sessions`.
    """
    if "//" not in path and not path.endswith("/"):
        return path
    path = "/" + path.lstrip("/")
    segments = [segment for segment in path.split("/") if segment]
    return "/" + "/".join(segments) if segments[:1] == ["mcp"] else path


def _fixed_segments(template: tuple[str, ...]) -> int:
    return sum(not part.startswith("{") for part in template)


def _fits(template: tuple[str, ...], segments: tuple[str, ...]) -> bool:
    return len(template) == len(segments) and all(
        part == segment or (part.startswith("{") and segment != "")
        for part, segment in zip(template, segments, strict=True)
    )


def _parameters(template: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str]:
    try:
        return {
            part[1:-1]: unquote(segment, errors="strict")
            for part, segment in zip(template, segments, strict=True)
            if part.startswith("{")
        }
    except UnicodeDecodeError as error:
        raise InvalidParameter("The path is not percent-encoded UTF-8.") from error
