"""One example call, and the values that the example calls start with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.openapi.parts import JSON


@dataclass(frozen=True, slots=True)
class Step:
    """One call. `$name` in it stands for a value that an earlier response gave, or that `begin` gives.

    `keep`: name -> a JSON pointer into the reply; or `header:` and a header's name; or `event:`, the number of an event
    of the stream, from 0, and the name of its field. `events`: how many events of a stream are read before it is
    closed; 0: all. `bearer`: the name of the value that is sent as the bearer token.
    """

    route: str
    title: str
    status: int
    body: Any = None
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    bearer: str = ""
    keep: Mapping[str, str] = field(default_factory=dict)
    events: int = 0
    media_type: str = JSON


def begin(marker: str = "") -> dict[str, str]:
    """The values that the example calls start with: ids chosen by their owner. `marker` makes them distinct."""
    return {
        "sid": f"0b6f1c52-9d3e-4f0a-8a4e-7c1d2e3f4a5b{marker}",
        "other_sid": f"5e0c7a91-2b64-4d8f-9c3a-1f2e3d4c5b6a{marker}",
        "voice_sid": f"c3a9e1f0-6b2d-4c7e-8f15-9a8b7c6d5e4f{marker}",
        "talk_sid": f"7d9f0a3c-1e5b-4a62-b8d4-3f2e1d0c9b8a{marker}",
        "page": f"q3-report{marker}",
        "resource": f"ada@example.org{marker}",
        "thread": f"trip-to-oslo{marker}",
        "branch": f"trip-to-bergen{marker}",
        "ui_thread": f"packing-list{marker}",
        "address_secret": f"{marker}not-a-secret-32-random-bytes-as-base64url-here"[:43],
        "wrong_etag": f'"{"0" * 32}"',
    }
