"""How far a long command is: a line that is written again on a terminal, otherwise a line every ten seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

WIDTH = 30
TERMINAL_SECONDS = 0.2
LOG_SECONDS = 10.0


class Progress:
    """Shows how many keys of `total` are done; `total` is None where nobody knows it, as in KV."""

    def __init__(
        self,
        verb: str,
        total: int | None = None,
        out: TextIO = sys.stderr,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._verb = verb
        self._total = total
        self._out = out
        self._clock = clock
        self._is_terminal = out.isatty()
        self._next = clock() + (0 if self._is_terminal else LOG_SECONDS)

    def show(self, done: int) -> None:
        """Shows the number if it is time to."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + (TERMINAL_SECONDS if self._is_terminal else LOG_SECONDS)
        self._out.write(f"\r\x1b[K{self._line(done)}" if self._is_terminal else f"{self._line(done)}\n")
        self._out.flush()

    def say(self, sentence: str) -> None:
        """Shows a sentence on a line of its own."""
        self._out.write(f"\r\x1b[K{sentence}\n" if self._is_terminal else f"{sentence}\n")
        self._out.flush()

    def end(self) -> None:
        """Takes the line away."""
        if self._is_terminal:
            self._out.write("\r\x1b[K")
            self._out.flush()

    def _line(self, done: int) -> str:
        if self._total is None:
            return f"{self._verb} {done:,} keys (KV does not say how many there are)"
        share = done / self._total if self._total else 1.0
        bar = "#" * round(share * WIDTH)
        return f"{self._verb} [{bar:.<{WIDTH}}] {share:4.0%}  {done:,} of {self._total:,} keys"
