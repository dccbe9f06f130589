"""One run of a host in one session: publishes the tools, listens, and takes what comes to the runner."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import msgspec

from waypost._async.session import AsyncSession
from waypost._core.effects import Emit, Flow
from waypost._core.ids import new_id
from waypost._core.listening import Ended, Listener, StreamEvent, Waiting
from waypost._core.messages import Request as WireRequest
from waypost._core.retrying import Retry, sending, until_done
from waypost._wire import queues, sessions
from waypost.errors import ApiError, ConfigError, WaypostError, is_final
from waypost.host.approvals import Approvals
from waypost.host.book import Book
from waypost.host.ledger import Ledger
from waypost.host.outbox import Outbox, Request
from waypost.host.runner import Runner
from waypost.host.tools import Approver, HostTool
from waypost.host.wire import wire_of

LOG = logging.getLogger("waypost")

ACK_GATHER_SECONDS = 0.05
MAX_ACKS = 100


class HostState(msgspec.Struct, frozen=True):
    """`online`; `waiting` (`delay` seconds, after `error`); `ended` (for good, with a `reason`)."""

    state: str
    delay: float = 0.0
    reason: str = ""
    error: WaypostError | None = None


class HostRun:
    """One run. `changed`: set when the tools have changed."""

    def __init__(
        self,
        session: AsyncSession,
        *,
        tools: dict[str, HostTool],
        ledger: Ledger,
        approver: Approver | None,
        max_running: int,
        report: Callable[[HostState], None],
    ) -> None:
        record = session.record
        self._session = session
        self._driver = session.driver
        self._code, self._token = record.code, record.host_token
        self._tools = tools
        self._report = report
        self._wire = wire_of(record.code, record.key)
        self._book = Book(ledger, record.memory)
        self._outbox = Outbox(self._driver, self._code, self._token, self._wire)
        self._runner = Runner(
            find=tools.get,
            approvals=Approvals(approver),
            book=self._book,
            outbox=self._outbox,
            wire=self._wire,
            max_running=max_running,
            acknowledge=self._acknowledge,
        )
        self.changed = asyncio.Event()
        self._refused: dict[str, HostTool] = {}
        self._acks: list[str] = []
        self._others: set[asyncio.Task[Any]] = set()
        self._instance = new_id()
        self._has_predecessor = False
        self._is_host = False

    async def until_end(self, grace: float) -> Ended:
        """Returns when the session ends or another host has it. A caller that is cancelled waits up to `grace` seconds
        for what is at work."""
        is_known = await self._book.open()
        if self._session.is_restored and self._wire.is_sealed and not is_known:
            message = (
                "An encrypted session goes on only with the ledger that knows its calls: SqliteLedger, the same file."
            )
            raise ConfigError("unknown_calls", message)
        await self._succeed()
        await self._publish()
        self._spawn(self._publish_changes())
        await self._runner.resend()
        try:
            end = await self._listen()
        except asyncio.CancelledError:
            await self._leave_after(grace)
            raise
        except BaseException:
            await self._leave_after(0)
            raise
        await self._after(end, grace)
        return end

    async def _succeed(self) -> None:
        """Says the goodbye of a last run that could not: otherwise the server would hold back for half a minute what
        that one may be running. Of what it was running, the ledger knows."""
        record = self._session.record
        if await self._book.keep(msgspec.structs.replace(record, instance=self._instance)) and record.instance:
            await self._say_goodbye(record.instance)

    async def _listen(self) -> Ended:
        listener = Listener(self._stream)
        events = self._driver.iterate(_emitting(listener))
        try:
            async for event in events:
                if isinstance(event, Ended):
                    return event
                if isinstance(event, Waiting):
                    self._report(HostState("waiting", event.delay, error=event.error))
                else:
                    await self._receive(event)
        finally:
            await events.aclose()
        return Ended("closed")

    def _stream(self, cursor: str) -> WireRequest:
        return queues.open_stream(self._code, self._token, cursor=cursor, instance=self._instance)

    async def _receive(self, event: StreamEvent) -> None:
        data = event.data
        if event.name == "request":
            try:
                request = msgspec.convert(data, Request)
            except msgspec.ValidationError:
                LOG.warning("a request without an id or a tool was ignored")
                return
            await self._runner.take(request, restarted=request.replay and self._has_predecessor)
        elif event.name == "cancel":
            self._acknowledge(str(data.get("cursor", "")))
            self._spawn(self._runner.cancel(str(data.get("id", ""))))
        elif event.name == "ready":
            self._is_host = True
            instance = data.get("instance")
            if isinstance(instance, str) and instance.startswith(f"{self._instance.partition('.')[0]}."):
                self._instance = instance
            self._has_predecessor = self._has_predecessor or data.get("tookOver") is True
            self._report(HostState("online"))
        elif event.name == "gap":
            LOG.warning("messages were missed: %s", data.get("reason"))

    async def _publish(self) -> None:
        """Publishes the tools, for as long as it takes. A tool that the server refuses is left out, and logged."""
        while True:
            self.changed.clear()
            offered = [tool for tool in self._tools.values() if self._refused.get(tool.name) is not tool]
            definitions = [self._wire.offered(tool.definition) for tool in offered]
            try:
                call = sessions.put_tools(self._code, self._token, definitions)
                await self._driver.run(until_done(call, 30.0, _tools_wait))
                return
            except ApiError as error:
                faults = error.problem.get("tools")
                named = {fault.get("tool"): fault for fault in faults or [] if isinstance(fault, dict)}
                refused = [tool for tool in offered if tool.name in named]
                if is_final(error) or not refused:
                    raise
                for tool in refused:
                    self._refused[tool.name] = tool
                    LOG.error("the server refuses the tool %s: %s", tool.name, named[tool.name].get("detail"))

    async def _publish_changes(self) -> None:
        while True:
            await self.changed.wait()
            try:
                await self._publish()
            except WaypostError as error:
                LOG.error("the tools could not be published: %s", error)

    def _acknowledge(self, cursor: str) -> None:
        if not cursor:
            return
        self._acks.append(cursor)
        if len(self._acks) == 1:
            self._spawn(self._send_acks())

    async def _send_acks(self) -> None:
        # What is lost is delivered again, and acknowledged again.
        await asyncio.sleep(ACK_GATHER_SECONDS)
        cursors, self._acks = self._acks, []
        for start in range(0, len(cursors), MAX_ACKS):
            try:
                await self._driver.send(queues.acknowledge(self._code, self._token, cursors[start : start + MAX_ACKS]))
            except WaypostError as error:
                LOG.info("messages were not acknowledged: %s", error)

    async def _after(self, end: Ended, grace: float) -> None:
        LOG.info("the host of %s ends: %s", self._code, end.reason)
        if end.reason == "superseded":
            # What runs here goes on to its end; the newer host is held back what this one may be running.
            await self._leave_after(grace)
        else:
            await self._runner.stop(0)
            self._stop_others()
            if end.error is None or is_final(end.error):
                await self._book.forget()
        self._report(HostState("ended", reason=end.reason, error=end.error))
        if end.error is not None and getattr(end.error, "status", 0) not in (404, 410):
            raise end.error

    async def _leave_after(self, grace: float) -> None:
        await self._runner.stop(grace)
        self._stop_others()
        if not self._is_host:
            return
        await self._say_goodbye(self._instance.partition(".")[0])

    async def _say_goodbye(self, instance: str) -> None:
        goodbye = sessions.leave_session(self._code, self._token, instance)
        try:
            async with asyncio.timeout(sessions.LEAVE_SECONDS):
                await self._driver.run(sending(goodbye, Retry(max_elapsed=sessions.LEAVE_SECONDS)))
        except (WaypostError, TimeoutError) as error:
            LOG.info("the server did not hear that this host leaves: %s", error)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._others.add(task)
        task.add_done_callback(self._others.discard)

    def _stop_others(self) -> None:
        for task in list(self._others):
            task.cancel()


def _emitting(listener: Listener) -> Flow[None]:
    def receive(event: StreamEvent | Waiting) -> Flow[bool]:
        yield Emit(event)
        return False

    end = yield from listener.run(receive)
    yield Emit(end)


def _tools_wait(delay: float, error: WaypostError) -> None:
    LOG.info("the tools are published in %.1f s: %s", delay, error)
