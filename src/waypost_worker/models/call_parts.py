"""What a chunk says about calls of tools, in the forms that services send.

https://platform.openai.com/docs/guides/function-calling#streaming
https://developers.cloudflare.com/workers-ai/features/function-calling/ (name and arguments without `function`)
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from waypost_worker.surrogates import well_formed


class CallPart(msgspec.Struct, frozen=True):
    """A part of one call. `index`: the call's place as the service counts; `None` if it said none. `args`: a piece of
    the arguments' JSON, or the arguments themselves; `None` if the part has none."""

    index: int | None
    id: str
    name: str
    args: Any


def call_parts(tool_calls: Any, function_call: Any = None) -> Iterator[CallPart]:
    """The parts in the fields `tool_calls` and `function_call`, the older name; none in what is neither."""
    # Some services send a single call without a list around it.
    listed = tool_calls if isinstance(tool_calls, list) else [tool_calls]
    for value in [*listed, function_call]:
        if not isinstance(value, dict):
            continue
        function = value.get("function")
        call = function if isinstance(function, dict) else value
        part = CallPart(
            _index(value.get("index", call.get("index"))),
            _text(value.get("id")) or _text(call.get("id")),
            _text(call.get("name")),
            call.get("arguments", call.get("parameters")),
        )
        # Workers AI ends a call with a part in which everything is null.
        if part.id or part.name or part.args not in (None, ""):
            yield part


def _index(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) else None


def _text(value: Any) -> str:
    return well_formed(value) if isinstance(value, str) else ""
