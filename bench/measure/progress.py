"""The progress bar: what runs now, how far it is, for how long."""

from __future__ import annotations

import sys
import time
from typing import TextIO

WIDTH = 30


class Progress:
    """Sections in order, each as long as its weight says; inside of one, steps out of those it expects."""

    def __init__(self, weights: dict[str, float], output: TextIO = sys.stderr) -> None:
        self._weights = weights
        self._total = sum(weights.values())
        self._output = output
        self._done = 0.0
        self._section = ""
        self._steps = self._expected = 0
        self._started = time.monotonic()

    def begin(self, section: str) -> None:
        """The section before this one is over."""
        self._done += self._weights.get(self._section, 0.0)
        self._section, self._steps, self._expected = section, 0, 1
        self._show("", is_new=True)

    def expect(self, steps: int) -> None:
        """So many steps are to come in this section."""
        self._expected = max(1, self._steps + steps)

    def step(self, what: str) -> None:
        """One step begins."""
        self._show(what)
        self._steps += 1

    def end(self) -> None:
        """Everything is over."""
        self._done, self._steps = self._total, 0
        self._section = "done"
        self._show("", is_new=True)
        if self._output.isatty():
            self._output.write("\n")

    def fraction(self) -> float:
        """How much of everything is done."""
        within = min(1.0, self._steps / max(1, self._expected)) * self._weights.get(self._section, 0.0)
        return min(1.0, (self._done + within) / self._total) if self._total else 1.0

    def _show(self, what: str, *, is_new: bool = False) -> None:
        filled = round(WIDTH * self.fraction())
        seconds = time.monotonic() - self._started
        line = f"[{'#' * filled:<{WIDTH}}] {seconds:4.0f} s  {self._section} {what}"
        if self._output.isatty():
            self._output.write(f"\r\x1b[2K{line[:110]}")
        elif is_new:
            # A log gets a line a section, not one a step.
            self._output.write(line.rstrip() + "\n")
        self._output.flush()
