"""What is said of an operation by hand; all else comes from the route table, the types, the errors and the limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from waypost_worker.errors import WaypostError

Schema = Mapping[str, Any]

JSON = "application/json"
NDJSON = "application/x-ndjson"
EVENTS = "text/event-stream"
HTML = "text/html"
MARKDOWN = "text/markdown"
METRICS = "text/plain"
PROBLEM = "application/problem+json"

NOBODY_KNOWN: tuple[Mapping[str, list[str]], ...] = ()
HOST: tuple[Mapping[str, list[str]], ...] = ({"hostToken": []},)
ADDRESS_SECRET: tuple[Mapping[str, list[str]], ...] = ({"addressSecret": []},)
GUEST: tuple[Mapping[str, list[str]], ...] = ({"guestToken": []}, {})
EITHER: tuple[Mapping[str, list[str]], ...] = ({"hostToken": []}, {"guestToken": []}, {})
EITHER_BY_QUERY: tuple[Mapping[str, list[str]], ...] = ({"hostToken": []}, {"guestToken": []}, {"queryToken": []}, {})
APP: tuple[Mapping[str, list[str]], ...] = ({"appKey": []}, {"appToken": []}, {})
APP_ITSELF: tuple[Mapping[str, list[str]], ...] = ({"appKey": []},)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in `where`: `query` or `header` (those of the path are known from the route)."""

    name: str
    schema: Schema
    description: str
    where: str = "query"
    required: bool = False
    style: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that is no problem document. `content`: media type -> a type of the service, or a schema.

    `headers`: those that it has beside what every reply has.
    """

    description: str
    content: Mapping[str, type | Schema] = field(default_factory=dict)
    headers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """Where one can go from a reply: `parameters` and `body` of the operation `target`, as runtime expressions."""

    target: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of the route table. `problems`: the errors of its own; what every route can answer is added.

    `summary` is the handler's docstring unless it is given; `body`: media type -> a type, or a schema, or nothing.
    `also_problems`: with a status of `replies` a problem document may come too, where the handler is not reached.
    """

    id: str
    tag: str
    security: Sequence[Mapping[str, list[str]]]
    replies: Mapping[int, Reply]
    problems: Sequence[type[WaypostError]] = ()
    parameters: Sequence[Parameter] = ()
    path_schemas: Mapping[str, Schema] = field(default_factory=dict)
    body: Mapping[str, type | Schema] = field(default_factory=dict)
    body_is_needed: bool = True
    links: Mapping[int, Sequence[Link]] = field(default_factory=dict)
    description: str = ""
    summary: str = ""
    also_problems: bool = False
