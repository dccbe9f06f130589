"""Outgoing requests: to a service on the Internet, and to Workers AI.

Only bytes and text are passed to JavaScript, so no proxy leaks, however a response ends.
"""

from collections.abc import AsyncGenerator, Awaitable, Mapping
from typing import Any

import js
import msgspec
from pyodide.ffi import JsException, jsnull, to_js  # type: ignore[attr-defined]  # stubs lack jsnull

from waypost_worker.models.transport import FetchedResponse, FetchError, FetchTimeout


class CloudflareHttp:
    """The port of outgoing requests, on the runtime's `fetch`."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> FetchedResponse:
        patience = _SilenceTimeout(timeout_seconds)
        init = _to_js_object({"method": "POST", "headers": headers, "redirect": "manual"})
        init.body = to_js(body)
        init.signal = patience.signal
        return await _fetched(js.fetch(url, init), patience)


class CloudflareAi:
    """Workers AI, on its binding."""

    def __init__(self, binding: Any) -> None:
        self._binding = binding

    async def run(self, model: str, inputs: Mapping[str, Any], timeout_seconds: float) -> FetchedResponse:
        patience = _SilenceTimeout(timeout_seconds)
        # The raw response has the status, which the binding would otherwise put into the text of an exception.
        options = _to_js_object({"returnRawResponse": True})
        options.signal = patience.signal
        return await _fetched(self._binding.run(model, _to_js_object(inputs), options), patience)


class _SilenceTimeout:
    """Aborts a request, and frees its connection, once it has been silent for too long.

    The timer is the runtime's and calls a function of the runtime. One of asyncio can't be cleared: each chunk would
    leave one, with everything it references, until it is due.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._controller = js.AbortController.new()
        self.signal = self._controller.signal

    async def wait(self, promise: Awaitable[Any]) -> Any:
        """The result of `promise`. Raises `FetchError`, `FetchTimeout`."""
        timer = js.setTimeout(self._controller.abort.bind(self._controller), self._seconds * 1000)
        try:
            return await promise
        except JsException as error:
            if self.signal.aborted:
                raise FetchTimeout(f"nothing for {self._seconds} s") from error
            raise FetchError(str(error)) from error
        finally:
            js.clearTimeout(timer)

    def end(self) -> None:
        """Aborts the request; no effect after the end of the response."""
        self._controller.abort()


async def _fetched(reply: Awaitable[Any], patience: _SilenceTimeout) -> FetchedResponse:
    try:
        response = await patience.wait(reply)
    except BaseException:
        patience.end()
        raise
    chunks = _chunks(response.body, patience)
    # A generator that was never started would not run its `finally` when it is closed.
    await anext(chunks)
    return FetchedResponse(response.status, js.Object.fromEntries(response.headers).to_py(), chunks)


async def _chunks(body: Any, patience: _SilenceTimeout) -> AsyncGenerator[bytes, None]:
    try:
        yield b""
        reader = body.getReader() if body is not jsnull else None
        while reader is not None:
            result = await patience.wait(reader.read())
            if result.done:
                return
            yield result.value.to_bytes()
    finally:
        patience.end()


def _to_js_object(value: Mapping[str, Any]) -> Any:
    return js.JSON.parse(msgspec.json.encode(value).decode())
