"""Runs each request once. A repeat gets the first answer; a request that runs is not begun again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from waypost.errors import ToolError
from waypost.host.approvals import Approvals
from waypost.host.book import Book
from waypost.host.call import Call
from waypost.host.deciding import NOT_REMEMBERED, REFUSED, SESSION_FULL, Answer, Ignore, Run, decide
from waypost.host.ledger import MAX_CALLS
from waypost.host.outbox import Outbox, Request
from waypost.host.progress import ProgressSender
from waypost.host.results import error_answer, exception_answer, result_answer, substitute
from waypost.host.threads import in_thread
from waypost.host.tools import HostTool, Question
from waypost.host.wire import Refusal, Wire

LOG = logging.getLogger("waypost")

WAITING = {"progress": 0, "message": "Waiting for approval."}
"""In MCP, progress must grow: a tool's own begins above 0."""

RUNNING = {"progress": 0, "message": "Running."}
RUNNING_AFTER_SECONDS = 3.0
"""After an approval, so that no guest is told for minutes that a call still waits. A tool that is quick, or reports its
own progress, costs no message for it."""

MAX_TAKEN = 1000
"""Requests in memory. Beyond that, the stream is not read further, and the server keeps the rest."""


MAX_SEALED_CALLS = MAX_CALLS - MAX_TAKEN
"""Calls that an encrypted session runs: the ledger forgets none of so many, and the server can have none run again."""


class Runner:
    """Runs the requests of one session. `find`: a tool by its name. `acknowledge`: removes a message from the queue."""

    def __init__(
        self,
        *,
        find: Callable[[str], HostTool | None],
        approvals: Approvals,
        book: Book,
        outbox: Outbox,
        wire: Wire,
        max_running: int,
        acknowledge: Callable[[str], None],
    ) -> None:
        self._find = find
        self._approvals = approvals
        self._book = book
        self._outbox = outbox
        self._wire = wire
        self._acknowledge = acknowledge
        self._slots = asyncio.Semaphore(max_running)
        self._room = asyncio.Semaphore(MAX_TAKEN)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._calls: dict[str, Call] = {}

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """What is at work."""
        return set(self._tasks.values())

    async def take(self, request: Request, *, restarted: bool) -> None:
        """Begins with a request. Waits while too many are here."""
        if request.id in self._tasks:
            return
        await self._room.acquire()
        self._begin(request.id, self._handle(request, restarted))

    async def resend(self) -> None:
        """Sends the answers that an earlier run could not deliver."""
        for id, entry in await self._book.undelivered():
            if entry.answer is not None and id not in self._tasks:
                await self._room.acquire()
                self._begin(id, self._deliver(Request(id, entry.tool), entry.answer))

    async def cancel(self, id: str) -> None:
        """A guest takes a request back. One that comes after that does not run either."""
        if id in self._tasks or not await self._is_full():
            await self._book.cancel(id)
        if call := self._calls.get(id):
            call.cancel()
            self._tasks[id].cancel()

    async def stop(self, grace: float) -> None:
        """Waits for what is at work, up to `grace` seconds, and cancels the rest, which gets no answer."""
        if self._tasks:
            await asyncio.wait(self.tasks, timeout=grace)
        for call in self._calls.values():
            call.cancel()
        for task in self.tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self.tasks)

    def _begin(self, id: str, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work, name=f"waypost call {id}")
        self._tasks[id] = task

        def finished(done: asyncio.Task[None]) -> None:
            self._tasks.pop(id, None)
            self._room.release()
            if not done.cancelled() and (error := done.exception()):
                LOG.error("the call %s failed in the host itself", id, exc_info=error)

        task.add_done_callback(finished)

    async def _handle(self, request: Request, restarted: bool) -> None:
        try:
            args = self._wire.arguments(request.id, request.tool, request.args)
        except Refusal as refusal:
            await self._outbox.deliver_in_the_clear(request, refusal.answer)
            return
        tool = self._find(request.tool)
        entry = await self._book.find(request.id)
        todo = decide(entry, reruns=tool is not None and tool.rerun, restarted=restarted)
        if isinstance(todo, Ignore):
            self._acknowledge(request.cursor)
        elif isinstance(todo, Answer):
            await self._answer(request, todo.answer, is_new=todo.is_new)
        else:
            await self._run(request, tool, args, todo, is_known=entry is not None)

    async def _run(
        self, request: Request, tool: HostTool | None, args: dict[str, Any], todo: Run, *, is_known: bool
    ) -> None:
        progress = ProgressSender(lambda report: self._outbox.report(request, report))
        call = Call(
            request.id,
            request.tool,
            args,
            restarted=todo.restarted,
            traceparent=request.traceparent,
            tracestate=request.tracestate,
            report=progress.report,
        )
        self._calls[request.id] = call
        try:
            answer = await self._answer_of(tool, call, is_known=is_known)
            await progress.close()
        finally:
            del self._calls[request.id]
        if answer is NOT_REMEMBERED or answer is SESSION_FULL:
            # Nothing was written down, so it is not kept.
            await self._outbox.deliver(request, answer, lambda _answer, _error: None)
        elif answer is not None:
            await self._answer(request, answer, is_new=True)

    async def _answer_of(self, tool: HostTool | None, call: Call, *, is_known: bool) -> bytes | None:
        """The answer; `None` if there is to be none, since another process runs it."""
        if not is_known and await self._is_full():
            return SESSION_FULL
        if tool is None:
            return error_answer("unknown_tool", f'This host has no tool "{call.tool}".')
        try:
            bound = tool.bind(call)
        except ToolError as error:
            return exception_answer(error)
        if not await self._may_run(tool, call):
            return REFUSED
        # Behind the decision, which may take long.
        async with self._slots:
            if not is_known:
                try:
                    if await self._book.begin(call.id, call.tool) is not None:
                        return None
                except Exception:
                    LOG.exception("the call %s could not be written down, and is not run", call.id)
                    return NOT_REMEMBERED
            news = asyncio.get_running_loop().call_later(RUNNING_AFTER_SECONDS, _say_running, call, call.reports)
            try:
                return await self._called(tool, bound)
            finally:
                news.cancel()

    async def _is_full(self) -> bool:
        return self._wire.is_sealed and await self._book.count() >= MAX_SEALED_CALLS

    async def _may_run(self, tool: HostTool, call: Call) -> bool:
        if not self._approvals.is_required(tool):
            return True
        description = tool.definition.get("description", "")
        # Nothing is written down before the decision, so that a program that starts again asks again.
        question = Question(call.id, call.tool, call.args, description, call.restarted)
        return await self._approvals.decide(tool, question, lambda: call.progress(WAITING))

    async def _called(self, tool: HostTool, bound: dict[str, Any]) -> bytes:
        try:
            if tool.signature.is_async:
                value = await tool.function(**bound)
            else:
                value = await in_thread(tool.function, **bound)
        except ToolError as error:
            return exception_answer(error)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return error_answer("tool_error", "The tool was cancelled by itself.")
        except BaseException as error:
            LOG.warning("the tool %s raised", tool.name, exc_info=True)
            if isinstance(error, KeyboardInterrupt | GeneratorExit):
                raise
            return exception_answer(error)
        return result_answer(value, self._wire.max_result_bytes)

    async def _answer(self, request: Request, answer: bytes, *, is_new: bool) -> None:
        if is_new:
            await self._noted(request, answer)
        await self._deliver(request, answer)

    async def _deliver(self, request: Request, answer: bytes) -> None:
        accepted = await self._outbox.deliver(request, answer, substitute)
        if accepted is not None and accepted != answer:
            await self._noted(request, accepted)
        try:
            await self._book.delivered(request.id)
        except Exception:
            LOG.exception("it could not be written down that the answer to %s was delivered", request.id)

    async def _noted(self, request: Request, answer: bytes) -> None:
        try:
            await self._book.answer(request.id, request.tool, answer)
        except Exception:
            # It is sent nevertheless; a repeat in a later process finds that it ran.
            LOG.exception("the answer to %s could not be written down", request.id)


def _say_running(call: Call, reports: int) -> None:
    if 0 < call.reports == reports:
        call.progress(RUNNING)
