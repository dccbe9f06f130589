"""Bodies of requests and responses: converts between streams of the runtime and Python generators."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from functools import cache, partial
from typing import Any

import js
from pyodide.ffi import (  # type: ignore[attr-defined]  # stubs lack jsnull
    JsException,
    create_once_callable,
    create_proxy,
    jsnull,
    to_js,
)

from waypost_worker.clock import Clock
from waypost_worker.context.isolate import Isolate
from waypost_worker.errors import BodyTimeout
from waypost_worker.http.body import discard_body, read_body
from waypost_worker.http.body_budget import BodyShare
from waypost_worker.http.messages import Response


class JsBody:
    """The body of `js_request`, a request of the runtime. `declared`: its Content-Length. `share` counts its bytes."""

    def __init__(self, js_request: Any, declared: int | None, clock: Clock, isolate: Isolate, share: BodyShare) -> None:
        self._js_request = js_request
        self._declared = declared
        self._clock = clock
        self._isolate = isolate
        self._share = share
        self._source: _JsBodySource | None = None

    async def read(self, limit: int) -> bytes | None:
        """The whole body, or `None` once it is known to exceed `limit` bytes.

        Raises:
            BodyTimeout: it did not arrive in time, or its sender disconnected.
            Busy: the budget of bodies has no room for it.
        """
        if (source := self._open()) is None:
            return b""
        body = await read_body(source, limit, self._clock, _JsAlarm(self._isolate), self._share, self._declared)
        source.is_at_end = body is not None
        return body

    async def discard(self) -> None:
        """Reads what is left of the body, and keeps none of it."""
        source = self._source or self._open()
        if source is None or source.is_at_end:
            return
        # The sender has disconnected: then there is nothing left to read.
        with suppress(BodyTimeout):
            await discard_body(source, self._clock, _JsAlarm(self._isolate))

    def cancel(self) -> None:
        """Stops the transfer of what is left of a body that was read in part."""
        if self._source is not None and not self._source.is_at_end:
            self._source.give_up()

    def _open(self) -> "_JsBodySource | None":
        stream = self._js_request.body
        # JavaScript's null is not None in Python.
        if stream is jsnull:
            return None
        self._source = _JsBodySource(stream.getReader())
        return self._source


class _JsBodySource:
    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self.is_at_end = False

    async def read(self) -> bytes | None:
        try:
            result = await self._reader.read()
        except JsException as error:
            # In workerd a pending read fails when its stream is cancelled; by the standard it would end.
            if self.is_at_end:
                return None
            # The client disconnected, so the response reaches no one; this is not an internal error.
            self.is_at_end = True
            raise BodyTimeout("The connection was closed before the body was complete.") from error
        # At the end there is no value, so `done` need not be read too.
        if (value := result.value) is not None:
            return value.to_bytes()  # type: ignore[no-any-return]
        self.is_at_end = True
        return None

    def give_up(self) -> None:
        self.is_at_end = True
        self._reader.cancel()


class _JsAlarm:
    """A timer of the runtime, which can be cleared: one of asyncio stays until it is due, even if cancelled."""

    def __init__(self, isolate: Isolate) -> None:
        self._isolate = isolate

    def set(self, seconds: float, ring: Callable[[], None]) -> Callable[[], None]:
        # One function for each alarm: a timer calls its function without arguments that would identify the alarm. This
        # kind takes a fifth of what a proxy takes, and frees itself when it is called.
        rung: list[bool] = []
        once: Any = create_once_callable(partial(self._ring, ring, rung))
        self._isolate.open_proxies += 1
        set_timeout, clear_timeout = _timers()
        timer = set_timeout(once, seconds * 1000)

        def unset() -> None:
            if not rung:
                clear_timeout(timer)
                self._isolate.open_proxies -= 1
                once.destroy()

        return unset

    def _ring(self, ring: Callable[[], None], rung: list[bool]) -> None:
        rung.append(True)
        self._isolate.open_proxies -= 1
        ring()


@cache
def _timers() -> tuple[Any, Any]:
    """`setTimeout` and `clearTimeout`. Looked up at first use: at import, no JavaScript object may be held."""
    return js.setTimeout, js.clearTimeout


def js_body(response: Response, isolate: Isolate) -> Any:
    """The body of `response` as the runtime takes it: a string, a stream, or nothing."""
    if isinstance(response.body, bytes):
        # All bodies are text; a string crosses to JavaScript without a typed array in between.
        return response.body.decode()
    if isinstance(response.body, AsyncGenerator):
        return _StreamBody(response.body, isolate).js_stream
    return None


class _StreamBody:
    """A `ReadableStream` that pulls from a generator, and closes it when the client disconnects.

    Pulled, not pushed: a background task that writes into a `TransformStream` hangs forever after a disconnect.
    """

    def __init__(self, chunks: AsyncGenerator[bytes, None], isolate: Isolate) -> None:
        self._chunks = chunks
        self._isolate = isolate
        self._pulling: asyncio.Task[object] | None = None
        self._proxies = [create_proxy(self._pull), create_proxy(self._cancel)]
        isolate.open_proxies += len(self._proxies)
        source = js.Object.new()
        source.pull, source.cancel = self._proxies
        strategy = js.JSON.parse('{"highWaterMark":0}')
        self.js_stream = js.ReadableStream.new(source, strategy)

    async def _pull(self, controller: Any) -> None:
        # The task in which Pyodide runs this very call.
        self._pulling = asyncio.current_task()
        try:
            controller.enqueue(to_js(await anext(self._chunks)))
        except StopAsyncIteration:
            controller.close()
            self._free()
        except asyncio.CancelledError:
            # Caused by `_cancel`, which frees the proxies.
            pass
        except GeneratorExit:
            # The garbage collector closes this: its request has ended, and with it all that it could wait for.
            raise
        except BaseException as error:
            # Also what the runtime raises near the limit of CPU time, which is no `Exception`.
            js.console.error(f"a stream broke off: {error!r}")
            controller.error(js.Error.new("the stream broke off"))
            await self._chunks.aclose()
            self._free()

    async def _cancel(self, _reason: Any = None) -> None:
        try:
            if self._pulling is not None and not self._pulling.done():
                self._pulling.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration):
                    await self._pulling
            await self._chunks.aclose()
        except Exception as error:
            js.console.error(f"a stream that was given up broke off: {error!r}")
        finally:
            self._free()

    def _free(self) -> None:
        self._isolate.open_proxies -= len(self._proxies)
        for proxy in self._proxies:
            proxy.destroy()
        self._proxies = []
