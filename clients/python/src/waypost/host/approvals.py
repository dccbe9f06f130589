"""Approvals: asks before a tool runs, and remembers which tools no longer need to be asked about."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable

from waypost.errors import ConfigError
from waypost.host.threads import in_thread
from waypost.host.tools import Approver, Decision, HostTool, Question

LOG = logging.getLogger("waypost")


class Approvals:
    """The decisions of one run of a host. `approver`: its own."""

    def __init__(self, approver: Approver | None) -> None:
        self._approver = approver
        self._allowed: set[str] = set()
        # Two questions on one terminal would be mixed up.
        self._turn = asyncio.Lock()

    def is_required(self, tool: HostTool) -> bool:
        """Whether a call waits for a decision: by default, if there is an approver and the tool changes something."""
        if tool.name in self._allowed:
            return False
        if tool.approve is not None:
            return tool.approve is not False
        return self._approver is not None and not tool.is_read_only

    async def decide(self, tool: HostTool, question: Question, waits: Callable[[], None]) -> bool:
        """Whether a call may run. An approver that raises, or says something else, refuses. `waits` is called if the
        decision is not immediate."""
        approver = tool.approve if callable(tool.approve) else self._approver
        try:
            decision = await self._ask(approver, tool, question, waits)
        except Exception:
            LOG.exception("the approver of %s failed, so the call is refused", tool.name)
            return False
        if decision == "always":
            self._allowed.add(tool.name)
        if decision not in ("once", "always", "refuse", True, False):
            LOG.error('an approver returns "once", "always" or "refuse", not %r: the call is refused', decision)
        return decision in ("once", "always", True)

    async def _ask(
        self, approver: Approver | None, tool: HostTool, question: Question, waits: Callable[[], None]
    ) -> Decision:
        if approver is None:
            return "refuse"
        if inspect.iscoroutinefunction(approver) or inspect.iscoroutinefunction(getattr(approver, "__call__", None)):  # noqa: B004
            waits()
            said = approver(question)
            return await said if inspect.isawaitable(said) else said
        waits()
        async with self._turn:
            if tool.name in self._allowed:
                return "once"
            # It may ask on a terminal, and wait for long.
            said = await in_thread(approver, question)
        return await said if inspect.isawaitable(said) else said


def require_approver(tool: HostTool, approver: Approver | None) -> None:
    """Raises `ConfigError` if a tool is to be asked about and there is nothing to ask: that must not mean yes."""
    if tool.approve is True and approver is None:
        raise ConfigError("no_approver", f"Calls of {tool.name} are to be approved: pass `approve` to the Host.")
