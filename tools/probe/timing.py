"""What a reply tells of itself: where it was made, by which isolate, and what it cost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_ENTRY = re.compile(r"""\s*([\w-]+)((?:\s*;\s*\w+=(?:"[^"]*"|[^;,"]*))*)\s*(?:,|$)""")
_PARAMETER = re.compile(r"""(\w+)=(?:"([^"]*)"|([^;,"]*))""")
_RAY = re.compile(r"[0-9a-f]+-([A-Z]{3})")

OURS = frozenset({"kv", "isolate", "placement"})
"""The entries of `Server-Timing` that a Waypost writes; all others are the platform's."""


@dataclass(frozen=True)
class Told:
    """One reply: `None` or 0 for what it does not tell.

    `edge` is the location that the client reached (`CF-Ray`), `placement` where the request ran. `foreign` has the
    platform's own entries, in milliseconds.
    """

    isolate: str | None = None
    placement: str | None = None
    edge: str | None = None
    operations: int = 0
    kv_ms: float = 0.0
    foreign: Mapping[str, float] = field(default_factory=dict)


def told(headers: Mapping[str, str]) -> Told:
    """What the header fields of a reply tell."""
    entries = server_timing(headers.get("server-timing", ""))
    ray = _RAY.fullmatch(headers.get("cf-ray", ""))
    kv = entries.get("kv", {})
    count = re.match(r"\d+", kv.get("desc", ""))
    return Told(
        isolate=_description(entries, "isolate"),
        placement=_description(entries, "placement"),
        edge=ray[1] if ray else None,
        operations=int(count[0]) if count else 0,
        kv_ms=_number(kv.get("dur")) or 0.0,
        foreign={
            name: duration
            for name, entry in entries.items()
            if name not in OURS and (duration := _number(entry.get("dur"))) is not None
        },
    )


def server_timing(value: str) -> dict[str, dict[str, str]]:
    """The entries of a `Server-Timing` header, each with its parameters: https://www.w3.org/TR/server-timing/."""
    return {
        name: {key: quoted or plain.strip() for key, quoted, plain in _PARAMETER.findall(parameters)}
        for name, parameters in _ENTRY.findall(value)
    }


def _description(entries: Mapping[str, Mapping[str, str]], name: str) -> str | None:
    return entries.get(name, {}).get("desc") or None


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
