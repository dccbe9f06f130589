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
    closed; 0: all. `bearer`: the name of the value that is sent as the bearer token. `is_command`: it is shown as a
    command; those that fail are not, unless their route has no other.
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
    is_command: bool = True


MADE_UP = "address_secret"
"""The value that each user of the examples makes up: 32 random bytes as base64url."""


def begin(marker: str = "") -> dict[str, str]:
    """The values that the example calls start with. `marker` makes them distinct; all other ids have the first
    session's code in them."""
    return {MADE_UP: f"{marker}not-a-secret-32-random-bytes-as-base64url-here"[:43]}
