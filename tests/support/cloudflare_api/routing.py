"""Routes of the fake API, and what they are given and give back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from typing import Any

from tests.support.cloudflare_api.account import Account


class ApiError(Exception):
    """The reply is a failure with this status, and with this code and message in its envelope."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Request:
    """What a route is given. `path` has no base; `query` has the first value of each name."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded from JSON."""
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, bytes]:
        """The parts of a multipart body, by the name of each."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        parts: Any = BytesParser().parsebytes(head + self.body).get_payload()
        return {part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in parts}


@dataclass(frozen=True)
class Raw:
    """A reply outside of the envelope, as values of KV are."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A result with what the envelope says about further ones."""

    result: list[Any]
    info: Mapping[str, Any]


Handler = Callable[..., Any]
"""Takes the account, the request and the path's parameters; returns a result, a `Page` or a `Raw`."""


class Routes:
    """The routes of one product, in the order in which they are tried."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []

    def on(self, method: str, template: str) -> Callable[[Handler], Handler]:
        """Register a handler for paths of the form `/accounts/{account}/…`; a parameter is one segment."""
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))

        def register(handler: Handler) -> Handler:
            self._routes.append((method, pattern, handler))
            return handler

        return register

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, str]] | None:
        """Return the handler of a request and the parameters of its path."""
        for wanted, pattern, handler in self._routes:
            found = pattern.fullmatch(path)
            if wanted == method and found:
                return handler, found.groupdict()
        return None


def answer(account: Account, routes: list[Routes], request: Request) -> Any:
    """Return what the API says to `request`. Raises `ApiError`."""
    for group in routes:
        if found := group.find(request.method, request.path):
            handler, parameters = found
            if parameters.pop("account", account.id) != account.id:
                raise ApiError(403, 10000, "Authentication error")
            return handler(account, request, **parameters)
    raise ApiError(404, 7000, f"No route for that URI: {request.method} {request.path}")
