"""The example calls as the API's page shows them: commands with `$NAME` for what an earlier one returned.

The document has the values of one run; these have the names of the values, so that they can be run again.
"""

from __future__ import annotations

import re
from typing import Any

from tools.openapi.example_calls import EXAMPLE_CALLS
from tools.openapi.example_calls.step import MADE_UP, Step
from tools.openapi.example_runner import read_lines
from tools.openapi.grammars import Json
from tools.openapi.operations import ALL
from tools.openapi.parts import NDJSON

_NAME = re.compile(r"\$([a-z_]+)")


def make_commands() -> list[Json]:
    """The calls in the order in which they run."""
    good = {step.route for step in EXAMPLE_CALLS if step.is_command and step.status < 400}
    return [
        _command(step)
        for step in EXAMPLE_CALLS
        if step.is_command
        and (step.status < 400 or step.route not in good)
        # For tests of the service only, and off elsewhere.
        and "/debug/" not in step.route
    ]


def _command(step: Step) -> Json:
    found: Json = {"operation": ALL[step.route].id, "title": step.title, "status": step.status}
    parts = {"path": step.path, "query": step.query, "headers": step.headers, "keep": _kept(step)}
    found |= {name: _named(part) for name, part in parts.items() if part}
    if step.bearer:
        found["token"] = step.bearer.upper()
    if step.body is not None:
        found["type"] = step.media_type
        found["body"] = _named(read_lines(step.body) if step.media_type == NDJSON else step.body)
    if step.events:
        found["isEndless"] = True
    if any(f"${MADE_UP}" in value for value in _texts(step.body)):
        found["makes"] = MADE_UP.upper()
    return found


def _kept(step: Step) -> dict[str, str]:
    return {name.upper(): where for name, where in step.keep.items()}


def _texts(part: Any) -> list[str]:
    if isinstance(part, str):
        return [part]
    items = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return [text for item in items for text in _texts(item)]


def _named(part: Any) -> Any:
    """`part` with the names of its values in capitals, as variables of a shell are."""
    if isinstance(part, str):
        return _NAME.sub(lambda match: match[0].upper(), part)
    if isinstance(part, dict):
        return {name: _named(value) for name, value in part.items()}
    return [_named(item) for item in part] if isinstance(part, list) else part
