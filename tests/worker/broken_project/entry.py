"""The entry point of a Worker whose Python can be broken: `/break/{how}` does it, `/isolate` names the isolate.

The ways are those of the platform. `enter`: a task is left behind, as by an invocation that was killed, and the next
request's task can't be entered. `leave`: asyncio loses track of a task in the background. `gil`: Python's lock is lost.
`fatal`: Pyodide gives up. `old`: the runtime has no `abortIsolate`. `forged`: errors that only look like those.

`/cpu` is a stream that ends near the limit of CPU time, `/proxies` the number of proxies that JavaScript holds.
"""

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable
from typing import Any

import js
import pyodide_js
from workers import WorkerEntrypoint

from waypost_worker.app import App
from waypost_worker.cloudflare.isolate_end import IsolateEnd
from waypost_worker.cloudflare.worker import enter_by, make_app, serve
from waypost_worker.http.messages import Request, Response
from waypost_worker.loop_failure import watch_loop

FORGED = "Cannot enter into task <PyodideTask pending> while another task <PyodideTask pending> is being executed."
SOON_MS = 50


class Breakable:
    """In front of the application: ways to break what it runs on."""

    def __init__(self, app: App) -> None:
        self.isolate = app.isolate
        self.clock = app.clock
        self.name = js.crypto.randomUUID()
        self._app = app

    async def handle(self, request: Request) -> Response:
        if request.path == "/isolate":
            return Response(200, self.name.encode(), {})
        if request.path == "/proxies":
            return Response(200, str(self.isolate.open_proxies).encode(), {})
        if request.path == "/cpu":
            return Response(200, _over_the_limit(), {})
        if not request.path.startswith("/break/"):
            return await self._app.handle(request)
        await getattr(self, f"_{request.path.removeprefix('/break/')}")(request)
        return Response(202, b"", {})

    async def _enter(self, _request: Request) -> None:
        loop = asyncio.get_running_loop()
        left_behind = loop.create_task(asyncio.sleep(0))
        await left_behind
        loop.call_soon = _next_entered_beside(loop, left_behind)  # type: ignore[method-assign]

    async def _leave(self, request: Request) -> None:
        async def lose_track() -> None:
            task = asyncio.current_task()
            assert task is not None
            asyncio.tasks._leave_task(asyncio.get_running_loop(), task)

        request.background(lose_track())

    async def _gil(self, request: Request) -> None:
        js.setTimeout(pyodide_js._module._PyEval_SaveThread, SOON_MS)
        request.background(asyncio.sleep(SOON_MS / 500))

    async def _fatal(self, request: Request) -> None:
        js.setTimeout(pyodide_js._api.fatal_error.bind(None, js.Error.new("made by a test")), SOON_MS)
        request.background(asyncio.sleep(SOON_MS / 500))

    async def _old(self, request: Request) -> None:
        end = IsolateEnd(self.isolate, self.clock, js.console.error, js.Object.new())
        watch_loop(asyncio.get_running_loop(), end.begin)
        await self._enter(request)

    async def _forged(self, request: Request) -> None:
        def fail() -> None:
            raise RuntimeError(FORGED)

        async def fail_as_pyodide() -> None:
            error = js.Error.new("Attempted to use PyProxy when Python GIL not held")
            error.name = "NoGilError"
            await js.Promise.reject(error)

        async def fail_as_asyncio() -> None:
            fail()

        loop = asyncio.get_running_loop()
        loop.call_soon(fail)
        for failing in (fail_as_pyodide, fail_as_asyncio):
            request.background(failing())
            loop.create_task(failing())  # noqa: RUF006  # that it is dropped is the point
        await asyncio.sleep(0)


async def _over_the_limit() -> AsyncGenerator[bytes, None]:
    """A stream that the runtime ends as it does near the limit of CPU time: by a signal."""
    yield b"begun"
    signal.raise_signal(signal.SIGXCPU)


def _next_entered_beside(loop: asyncio.AbstractEventLoop, left_behind: "asyncio.Task[None]") -> Callable[..., Any]:
    """A `call_soon` of `loop` for one use: the first step of the next request's task finds `left_behind` running."""
    call_soon = loop.call_soon

    def break_one(callback: Any, *args: Any, context: Any = None) -> Any:
        task = getattr(callback, "__self__", None)
        if not isinstance(task, asyncio.Task) or getattr(task.get_coro(), "__name__", "") != "wrapper_func":
            return call_soon(callback, *args, context=context)
        loop.call_soon = call_soon  # type: ignore[method-assign]
        handle = asyncio.Handle(callback, args, loop, context)

        def run() -> None:
            asyncio.tasks._enter_task(loop, left_behind)
            handle._run()

        return call_soon(run)

    return break_one


_apps: list[Breakable] = []


async def _fetch(request: Any) -> Any:
    if not _apps:
        _apps.append(Breakable(make_app()))
    return await serve(_apps[0], request.js_object)  # type: ignore[arg-type]


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        return await _fetch(request)


enter_by(Default, _fetch)
