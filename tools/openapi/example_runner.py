"""Runs the example calls: fills in values of earlier responses, and records requests and responses."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from tools.openapi.example_calls.step import Step
from tools.openapi.parts import NDJSON

_NAME = re.compile(r"\$([a-z_]+)")


@dataclass(frozen=True, slots=True)
class Sent:
    """A request; `events` as in `Step`."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    events: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The media type without its parameters, or an empty text."""
        return self.headers.get("content-type", "").partition(";")[0]


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """A step with its values filled in, and the response to it."""

    step: Step
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    answered: Answered


async def run_steps(
    steps: Iterable[Step], values: dict[str, str], send: Callable[[Sent], Awaitable[Answered]]
) -> list[ExampleResult]:
    """Runs `steps` with `send`; adds what they keep to `values`.

    Raises:
        ValueError: a response has another status than its step expects.
    """
    return [await _run_step(step, values, send) for step in steps]


async def _run_step(step: Step, values: dict[str, str], send: Callable[[Sent], Awaitable[Answered]]) -> ExampleResult:
    path, query, headers, body = (_filled(part, values) for part in (step.path, step.query, step.headers, step.body))
    method, _, url = step.route.partition(" ")
    for name, value in path.items():
        url = url.replace(f"{{{name}}}", quote(value, safe=""))
    sent = dict(headers)
    content = b""
    if body is not None:
        content = str(body).encode() if step.media_type == NDJSON else json.dumps(body).encode()
        sent["Content-Type"] = step.media_type
    if step.bearer:
        sent["Authorization"] = f"Bearer {values[step.bearer]}"
    target = f"{url}?{urlencode(query)}" if query else url
    answered = await send(Sent(method, target, sent, content, step.events))
    if answered.status != step.status:
        raise ValueError(f"{step.route} ({step.title}): {answered.status} {answered.body.decode()}")
    for name, where in step.keep.items():
        values[name] = _kept(answered, where)
    return ExampleResult(step, path, query, headers, body, answered)


def _filled(part: Any, values: Mapping[str, str]) -> Any:
    if isinstance(part, str):
        return _NAME.sub(lambda match: values[match[1]], part)
    if isinstance(part, Mapping):
        return {name: _filled(value, values) for name, value in part.items()}
    return [_filled(item, values) for item in part] if isinstance(part, list) else part


def _kept(answered: Answered, where: str) -> str:
    if where.startswith("header:"):
        return answered.headers[where.removeprefix("header:").lower()]
    if where.startswith("event:"):
        _, number, field = where.split(":")
        return read_events(answered.body.decode())[int(number)][field]
    value = json.loads(answered.body)
    for part in where.split("/")[1:]:
        value = value[int(part)] if isinstance(value, list) else value[part]
    return str(value)


def read_events(text: str) -> list[dict[str, str]]:
    """The events of a stream: `data`, and `event`, `id` and `retry` where they stand there. Comments are left out."""
    found = []
    for block in text.split("\n\n"):
        lines = [line.partition(": ") for line in block.split("\n") if line and not line.startswith(":")]
        if lines:
            found.append({name: value for name, _, value in lines})
    return found


def read_lines(text: str) -> list[Any]:
    """The values of NDJSON."""
    return [json.loads(line) for line in text.split("\n") if line]


def count_events(body: bytes) -> int:
    """How many events have begun in the bytes of a stream, in either format."""
    return body.count(b"event: ") + body.count(b'{"event":')
