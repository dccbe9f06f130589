"""Waits by condition, each with a bound."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from tests.support.sse_client import LONGEST_SECONDS

T = TypeVar("T")

PAUSE_SECONDS = 0.05


def eventually(look: Callable[[], T], seconds: float = LONGEST_SECONDS) -> T:
    """What `look` returns as soon as that is true; asks it again and again, and fails with its last answer."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s; the last look gave {found!r}")
        time.sleep(PAUSE_SECONDS)
    return found
