"""The tools that a host offers."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeAlias

import msgspec

from waypost._core.plain_json import Unsendable, plain_value
from waypost.errors import ConfigError
from waypost.host.call import Call
from waypost.host.signatures import Signature

MAX_TOOLS = 128
"""As many as the server takes."""

Decision: TypeAlias = Literal["once", "always", "refuse"] | bool
Approver: TypeAlias = Callable[["Question"], Decision | Awaitable[Decision]]

_NAME = re.compile(r"[A-Za-z0-9_./-]{1,128}")


class Question(msgspec.Struct, frozen=True):
    """A call that waits for a decision. `restarted`: its effects may be there."""

    id: str
    tool: str
    args: dict[str, Any]
    description: str
    restarted: bool


class HostTool(msgspec.Struct, frozen=True):
    """A tool. `definition`: as guests see it. `approve`: whether its calls wait for a decision; by default if the host
    has an approver and the tool changes something. `rerun`: whether a call that a crash interrupted is run again."""

    definition: dict[str, Any]
    function: Callable[..., Any]
    signature: Signature
    approve: bool | Approver | None
    rerun: bool

    @property
    def name(self) -> str:
        name: str = self.definition["name"]
        return name

    @property
    def is_read_only(self) -> bool:
        return self.definition.get("annotations", {}).get("readOnlyHint") is True

    def bind(self, call: Call) -> dict[str, Any]:
        """The function's arguments. Raises `ToolError` (`invalid_arguments`)."""
        return self.signature.bind(call.args, call)


def make_tool(
    function: Callable[..., Any],
    *,
    name: str | None,
    title: str | None,
    description: str | None,
    input_schema: dict[str, Any] | None,
    output_schema: dict[str, Any] | None,
    annotations: dict[str, Any] | None,
    read_only: bool | None,
    rerun: bool | None,
    approve: bool | Approver | None,
) -> HostTool:
    """Raises `ConfigError` (`invalid_tool`)."""
    name = name or str(getattr(function, "__name__", ""))
    if not _NAME.fullmatch(name):
        raise ConfigError(
            "invalid_tool", f"The tool {name!r} needs a name of 1 to 128 characters out of A-Z a-z 0-9 _ . / -"
        )
    signature = Signature(function, name)
    hints = dict(annotations or {}) | ({} if read_only is None else {"readOnlyHint": read_only})
    definition = {
        "name": name,
        "title": title,
        "description": description or signature.description or None,
        "inputSchema": input_schema or signature.schema,
        "outputSchema": output_schema,
        "annotations": hints or None,
    }
    try:
        plain = plain_value({field: value for field, value in definition.items() if value is not None})
    except Unsendable as error:
        raise ConfigError("invalid_tool", f"The tool {name!r} can't be offered: {error}") from error
    repeatable = hints.get("readOnlyHint") is True or hints.get("idempotentHint") is True
    return HostTool(plain, function, signature, approve, repeatable if rerun is None else rerun)
