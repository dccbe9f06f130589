"""The names of the secrets that sign tokens: `SIGNING_KEY`, and what `make rotate-key` sets after it.

Standard library only, since a deployment imports it before anything is installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

FIRST, PREVIOUS = "SIGNING_KEY", "SIGNING_KEY_PREVIOUS"
LAST_NUMBER = 99

_NAME = re.compile(r"SIGNING_KEY(?:_([2-9]|[1-9]\d))?")


def numbers_of(secrets: Iterable[str]) -> list[int]:
    """Return the numbers of the keys that can sign, ascending; `SIGNING_KEY` is 1."""
    return sorted(int(found[1] or 1) for found in map(_NAME.fullmatch, secrets) if found)


def name_of(number: int) -> str:
    """Return the name of the key with this number."""
    return FIRST if number == 1 else f"{FIRST}_{number}"


def signing_secret(secrets: Iterable[str]) -> str | None:
    """Return the name of the one that signs, the highest number; None where a Worker has none."""
    numbers = numbers_of(secrets)
    return name_of(numbers[-1]) if numbers else None
