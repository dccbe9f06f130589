"""How requests are written, and replies read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from waypost._core.messages import Reply, Request
from waypost._core.plain_json import to_json


def json_request(method: str, path: str, body: Mapping[str, Any] | None = None, **options: Any) -> Request:
    """A request with a JSON body: `body` without what is `None`. Raises `Unsendable`."""
    if body is None:
        return Request(method=method, path=path, **options)
    return raw_request(
        method, path, to_json({name: value for name, value in body.items() if value is not None}), **options
    )


def raw_request(method: str, path: str, body: bytes, **options: Any) -> Request:
    """A request whose body is JSON already."""
    headers = {"content-type": "application/json"} | options.pop("headers", {})
    return Request(method=method, path=path, body=body, headers=headers, **options)


def given(**values: str | int | float | bool | None) -> dict[str, str]:
    """The query of those that are not `None`."""
    return {name: _text(value) for name, value in values.items() if value is not None}


def _text(value: str | int | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else format(value, ".10g")


def nothing(_reply: Reply) -> None:
    """Reads a reply that says nothing."""


def reading(type_: Any) -> Callable[[Reply], Any]:
    """Reads the body as `type_`."""
    return lambda reply: reply.json(type_)


def member(type_: Any, name: str) -> Callable[[Reply], Any]:
    """Reads the member `name` of the body."""

    def read(reply: Reply) -> Any:
        whole = reply.json(dict[str, msgspec.Raw])
        part = Reply(reply.status, reply.headers, bytes(whole.get(name, b"null")))
        return part.json(type_)

    return read


def read_text(reply: Reply) -> str:
    """Reads the body as text."""
    return reply.body.decode(errors="replace")
