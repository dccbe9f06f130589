"""`--approve`: what may run without a question, and the question on the terminal."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import click

from waypost.cli.output import complain, to_text

if TYPE_CHECKING:
    from waypost.host.tools import Approver, Decision, Question

CHOICES = ("never", "ask", "read-only")


def approver_of(choice: str) -> Approver | None:
    """The approver for a choice. Raises `click.UsageError` if it is to ask, and nothing can answer."""
    if choice == "never":
        return None
    if choice == "read-only":
        return lambda _question: "refuse"
    if not sys.stdin.isatty():
        raise click.UsageError("--approve ask needs a terminal to ask on.")
    return Asker().ask


class Asker:
    """Asks on the terminal, one question at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._always: set[str] = set()

    async def ask(self, question: Question) -> Decision:
        """The person's decision. What is neither yes nor always refuses."""
        async with self._turn:
            if question.tool in self._always:
                return "always"
            again = " It may have run before." if question.restarted else ""
            complain(f"{question.tool} {to_text(question.args)}{again}\nRun it? [y]es, [a]lways, [N]o")
            answer = (await _line()).strip().lower()
        if answer in ("a", "always"):
            self._always.add(question.tool)
            return "always"
        return "once" if answer in ("y", "yes") else "refuse"


async def _line() -> str:
    """A line of the terminal. A question whose call is taken back stops waiting for it."""
    if sys.platform == "win32":
        return await asyncio.to_thread(sys.stdin.readline)
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    number = sys.stdin.fileno()
    loop.add_reader(number, ready.set)
    try:
        await ready.wait()
        return os.read(number, 1024).decode("utf-8", "replace")
    finally:
        loop.remove_reader(number)
