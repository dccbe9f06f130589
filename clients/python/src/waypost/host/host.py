"""A host: its tools, and how it runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, overload

from waypost._async.client import AsyncWaypost
from waypost._async.session import AsyncSession
from waypost._core.listening import Ended
from waypost.errors import ConfigError
from waypost.host.approvals import require_approver
from waypost.host.ledger import Ledger, MemoryLedger
from waypost.host.running import HostRun, HostState
from waypost.host.tools import MAX_TOOLS, Approver, HostTool, make_tool

LOG = logging.getLogger("waypost")

F = TypeVar("F", bound=Callable[..., Any])


class Host:
    """Offers tools of this program to the guests of a session.

    `ledger`: remembers which calls ran: `MemoryLedger()`, once per process, or `SqliteLedger(path)`, once over
    restarts. `approve`: asked before each call of a tool that is not read-only; returns "once", "always" or "refuse".
    `max_running`: how many calls run at the same time. `grace`: seconds that calls may take to end when the host is
    cancelled. `on_state`: called with each `HostState`."""

    def __init__(
        self,
        *,
        ledger: Ledger | None = None,
        approve: Approver | None = None,
        max_running: int = 16,
        grace: float = 5.0,
        on_state: Callable[[HostState], None] | None = None,
    ) -> None:
        self._ledger: Ledger = ledger or MemoryLedger()
        self._approver = approve
        self._max_running = max_running
        self._grace = grace
        self._on_state = on_state or (lambda _state: None)
        self._tools: dict[str, HostTool] = {}
        self._runs: set[HostRun] = set()

    @overload
    def tool(self, function: F) -> F: ...

    @overload
    def tool(
        self,
        function: None = None,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        input_schema: dict[str, Any] | None = None,
        output_schema: dict[str, Any] | None = None,
        annotations: dict[str, Any] | None = None,
        read_only: bool | None = None,
        rerun: bool | None = None,
        approve: bool | Approver | None = None,
    ) -> Callable[[F], F]: ...

    def tool(
        self,
        function: F | None = None,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        input_schema: dict[str, Any] | None = None,
        output_schema: dict[str, Any] | None = None,
        annotations: dict[str, Any] | None = None,
        read_only: bool | None = None,
        rerun: bool | None = None,
        approve: bool | Approver | None = None,
    ) -> F | Callable[[F], F]:
        """Offers a function, in place of one with the same name: `@host.tool`, or `@host.tool(name="cart.add")`.

        The schema comes from the signature, the description from the docstring. Arguments are checked first. Functions
        without `async` run in threads. A parameter that is annotated with `Call` gets the call, to report progress,
        say. What the function returns is the result: any JSON of at most 8 MiB, or a `Media`. What it raises is the
        error.

        `read_only`: it changes nothing, so nothing is asked. `rerun`: a call that a crash interrupted is run again
        (with `call.restarted`); by default if it is read-only or has `idempotentHint`, else its caller gets
        `interrupted`. `approve`: whether its calls are asked about, or its own approver.

        Raises:
            ConfigError: no client could read the definition, or there are 128 tools already.
        """

        def offer(function: F) -> F:
            tool = make_tool(
                function,
                name=name,
                title=title,
                description=description,
                input_schema=input_schema,
                output_schema=output_schema,
                annotations=annotations,
                read_only=read_only,
                rerun=rerun,
                approve=approve,
            )
            require_approver(tool, self._approver)
            if len(self._tools) >= MAX_TOOLS and tool.name not in self._tools:
                raise ConfigError("too_many_tools", f"A session offers at most {MAX_TOOLS} tools.")
            self._tools[tool.name] = tool
            self._changed()
            return function

        return offer if function is None else offer(function)

    def remove_tool(self, name: str) -> bool:
        """Withdraws a tool. A call that runs goes on. Returns whether there was one."""
        is_there = self._tools.pop(name, None) is not None
        if is_there:
            self._changed()
        return is_there

    async def run(self, session: AsyncSession) -> Ended:
        """Answers the calls of a session until it ends, or another host takes it over (`superseded`). Lost connections
        come back by themselves. A caller that is cancelled waits a little for what runs, and says goodbye.

        Raises:
            ConfigError: an encrypted session was restored without the ledger that knows its calls.
            ApiError: the server refuses this host.
        """
        return await self._run(session, self._on_state)

    @asynccontextmanager
    async def running(self, session: AsyncSession) -> AsyncGenerator[Host, None]:
        """Runs in the background, from the first connection on until the block ends. Raises what `run()` raises."""
        online = asyncio.Event()

        def report(state: HostState) -> None:
            if state.state == "online":
                online.set()
            self._on_state(state)

        task = asyncio.ensure_future(self._run(session, report))
        waiting = asyncio.ensure_future(online.wait())
        try:
            await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
            yield self
        finally:
            waiting.cancel()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def run_forever(
        self,
        base_url: str | None = None,
        *,
        label: str | None = None,
        encrypted: bool = False,
        keep: str | os.PathLike[str] | None = None,
        on_session: Callable[[AsyncSession], None] | None = None,
    ) -> None:
        """For programs without asyncio: opens a session, prints its link, and answers its calls until Ctrl-C, SIGTERM,
        or another host takes it over. A session that ends is followed by a new one.

        `keep`: a file for the session and its calls (`SqliteLedger`): a program that starts again goes on with the same
        code, and runs none of its calls twice. `on_session`: called with each session, in place of printing.
        """
        with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
            asyncio.run(self._forever(base_url, label, encrypted, keep, on_session or _print))

    async def _forever(
        self,
        base_url: str | None,
        label: str | None,
        encrypted: bool,
        keep: str | os.PathLike[str] | None,
        on_session: Callable[[AsyncSession], None],
    ) -> None:
        from waypost.host.sqlite_ledger import SqliteLedger

        kept = None if keep is None else SqliteLedger(keep)
        if kept is not None:
            self._ledger = kept
        with _ended_by_sigterm():
            async with AsyncWaypost(base_url) as waypost:
                while True:
                    record = kept.saved_session(waypost.base_url) if kept else None
                    if record is not None and (record.key is not None) == encrypted:
                        session = waypost.restore(record)
                    else:
                        session = await waypost.open_session(label=label, encrypted=encrypted)
                        if kept is not None:
                            kept.save_session(session.record)
                    on_session(session)
                    end = await self.run(session)
                    if end.reason == "superseded":
                        LOG.warning("another host has taken the session %s over", session.code)
                        return

    async def _run(self, session: AsyncSession, report: Callable[[HostState], None]) -> Ended:
        run = HostRun(
            session,
            tools=self._tools,
            ledger=self._ledger,
            approver=self._approver,
            max_running=self._max_running,
            report=report,
        )
        self._runs.add(run)
        try:
            return await run.until_end(self._grace)
        finally:
            self._runs.discard(run)

    def _changed(self) -> None:
        for run in self._runs:
            run.changed.set()


@contextlib.contextmanager
def _ended_by_sigterm() -> Any:
    """SIGTERM cancels the running task, as Ctrl-C does, so that the host says goodbye. Not on Windows."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    is_set = False
    if task is not None:
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(signal.SIGTERM, task.cancel)
            is_set = True
    try:
        yield
    finally:
        if is_set:
            loop.remove_signal_handler(signal.SIGTERM)


def _print(session: AsyncSession) -> None:
    print(f"Give this to the agent: {session.link if session.key else session.code}", flush=True)  # noqa: T201
