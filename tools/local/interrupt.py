"""Ctrl-C and its like, as a flag that a loop looks at."""

from __future__ import annotations

import signal
from types import FrameType


class Interrupt:
    """Whether SIGINT, SIGTERM or SIGHUP has asked this process to end; takes them over when it is made.

    The handler sets a plain attribute. It may itself be interrupted, since a Ctrl-C often arrives twice, from the
    terminal and from npm: with the lock of a `threading.Event` the second one would wait for the first for ever.
    """

    def __init__(self) -> None:
        self.is_set = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._set)

    def _set(self, number: int, frame: FrameType | None) -> None:
        self.is_set = True
