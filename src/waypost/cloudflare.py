"""The runtime: clock, randomness, requests and replies of workerd, as the ports and values of the rest.

Only the entrypoint and the files `cloudflare*` know JavaScript. Two rules of the platform shape them. What is made
while one request is served (a promise, a timer, a task) must never be awaited by another. And a proxy that JavaScript
was handed lives until it is destroyed, so every stream destroys its own.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import js
import msgspec
from pyodide.ffi import JsException, create_proxy, jsnull, to_js  # type: ignore[attr-defined]  # stubs lack jsnull
from workers import import_from_javascript

from waypost.app import App
from waypost.body_reading import read_whole
from waypost.cloudflare_fetch import CloudflareAi, CloudflareHttp
from waypost.cloudflare_kv import CloudflareKv, text_or_none
from waypost.errors import BodyTimeout
from waypost.http import Request, Response
from waypost.isolate import Isolate
from waypost.kv import Kv
from waypost.memory_kv import MemoryKv
from waypost.model_choice import choose_model
from waypost.rate_limits import Limit
from waypost.settings import read_settings

NAMESPACE = "WAYPOST"
AI = "AI"
SETTINGS = (
    "SIGNING_KEY",
    "SIGNING_KEY_PREVIOUS",
    "PLAN",
    "SESSION_TTL_SECONDS",
    "QUEUE_TTL_SECONDS",
    "REQUIRE_TOKEN",
    "CODE_LENGTH",
    "ALLOWED_ORIGINS",
    "DIAGNOSTICS",
    "CONVERSATION_TTL_SECONDS",
    "HISTORY_LIMIT",
    "APP_KEYS",
    "MCP_HOST_GRACE_SECONDS",
    "MODEL_PROVIDER",
    "OPENAI_BASE_URL",
    "OPENAI_MODEL",
    "OPENAI_API_KEY",
    "WORKERS_AI_MODEL",
    "INSTRUCTIONS",
    "AGENTS",
    "MODEL_TIMEOUT_SECONDS",
)


class CloudflareLimiter:
    """The rate-limit port on its binding."""

    def __init__(self, binding: Any) -> None:
        self._binding = binding

    async def allows(self, key: str) -> bool:
        try:
            outcome = await self._binding.limit(js.JSON.parse(msgspec.json.encode({"key": key}).decode()))
        except JsException as error:
            # A service that stops because nobody can count is worse than one that is not counted for a while.
            js.console.error(f"a rate limit could not be asked: {error}")
            return True
        return bool(outcome.success)


class CloudflareClock:
    """The platform's clock: it stands still while code runs, and moves on input and output."""

    def now_ms(self) -> int:
        return int(js.Date.now())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class CloudflareRandom:
    """The runtime's CSPRNG."""

    def random_bytes(self, count: int) -> bytes:
        return os.urandom(count)


class _JsHeaders:
    def __init__(self, headers: Any) -> None:
        self._headers = headers

    def get(self, name: str) -> str | None:
        return text_or_none(self._headers.get(name))


def make_app(around: Callable[[Kv], Kv] = lambda kv: kv) -> App:
    """The application on the bindings and vars of this Worker; `around` may put something in front of the store."""
    env = import_from_javascript("cloudflare:workers").env
    clock, random = CloudflareClock(), CloudflareRandom()
    namespace = getattr(env, NAMESPACE, None)
    bindings = {limit: getattr(env, limit.value, None) for limit in Limit}
    ai = getattr(env, AI, None)
    settings = read_settings(_vars(env), has_ai=ai is not None)
    return App(
        settings,
        around(MemoryKv(clock) if namespace is None else CloudflareKv(namespace)),
        clock,
        random,
        js.console.error,
        {limit: CloudflareLimiter(binding) for limit, binding in bindings.items() if binding is not None},
        "memory" if namespace is None else "kv",
        choose_model(settings.model, CloudflareHttp(), None if ai is None else CloudflareAi(ai), clock, random),
    )


def _vars(env: Any) -> Mapping[str, str]:
    values = {name: getattr(env, name, None) for name in SETTINGS}
    return {name: value for name, value in values.items() if isinstance(value, str)}


async def serve(app: App, js_request: Any, context: Any) -> Any:
    """Answer one `Request` of the runtime with a `Response` of the runtime; `context` is its execution context."""
    url = urlsplit(js_request.url)
    headers = _JsHeaders(js_request.headers)

    async def read_body(limit: int) -> bytes | None:
        return await _read_body(js_request, limit, app.isolate)

    def background(work: Coroutine[Any, Any, None]) -> None:
        _run_in_background(work, context, app.isolate)

    address = headers.get("cf-connecting-ip")
    request = Request(js_request.method, url.path, url.query, headers, read_body, background, address)
    response = await app.handle(request)
    init = js.JSON.parse(msgspec.json.encode({"status": response.status, "headers": response.headers}).decode())
    return js.Response.new(_js_body(response, app.isolate), init)


def _run_in_background(work: Coroutine[Any, Any, None], context: Any, isolate: Isolate) -> None:
    ended = js.Promise.withResolvers()
    context.waitUntil(ended.promise)

    async def run() -> None:
        try:
            await work
        except Exception as error:
            js.console.error(f"work in the background broke off: {error!r}")
        finally:
            isolate.background.discard(task)
            ended.resolve()

    task = asyncio.ensure_future(run())
    # The event loop itself holds a task only weakly.
    isolate.background.add(task)


async def _read_body(js_request: Any, limit: int, isolate: Isolate) -> bytes | None:
    stream = js_request.body
    # JavaScript's null is no None here.
    if stream is jsnull:
        return b""
    return await read_whole(_JsBody(stream.getReader()), limit, CloudflareClock(), _JsAlarm(isolate))


class _JsBody:
    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self._is_given_up = False

    async def read(self) -> bytes | None:
        try:
            result = await self._reader.read()
        except JsException as error:
            # workerd fails a read that waits when its stream is cancelled; the standard has it end.
            if self._is_given_up:
                return None
            # The client went away: nobody hears of it, and nothing is wrong here.
            raise BodyTimeout("The connection broke off before the body was there.") from error
        return None if result.done else result.value.to_bytes()

    def give_up(self) -> None:
        self._is_given_up = True
        self._reader.cancel()


class _JsAlarm:
    """Timers that are cleared: one of asyncio's stays with the runtime until its time is over, used or not."""

    def __init__(self, isolate: Isolate) -> None:
        self._isolate = isolate

    def set(self, seconds: float, ring: Callable[[], None]) -> Callable[[], None]:
        proxy = create_proxy(ring)
        self._isolate.open_proxies += 1
        timer = js.setTimeout(proxy, seconds * 1000)

        def unset() -> None:
            js.clearTimeout(timer)
            self._isolate.open_proxies -= 1
            proxy.destroy()

        return unset


def _js_body(response: Response, isolate: Isolate) -> Any:
    if isinstance(response.body, bytes):
        # JSON is text; as a string it crosses without a typed array in between.
        return response.body.decode()
    if isinstance(response.body, AsyncGenerator):
        return _StreamBody(response.body, isolate).js_stream
    return None


class _StreamBody:
    """A `ReadableStream` that pulls from a generator, and ends it when the client goes away.

    Pulled, not pushed: a background task that writes into a `TransformStream` hangs for ever once its client is gone.
    """

    def __init__(self, chunks: AsyncGenerator[bytes, None], isolate: Isolate) -> None:
        self._chunks = chunks
        self._isolate = isolate
        self._pulling: asyncio.Task[bytes] | None = None
        self._proxies = [create_proxy(self._pull), create_proxy(self._cancel)]
        isolate.open_proxies += len(self._proxies)
        source = js.Object.new()
        source.pull, source.cancel = self._proxies
        strategy = js.JSON.parse('{"highWaterMark":0}')
        self.js_stream = js.ReadableStream.new(source, strategy)

    async def _pull(self, controller: Any) -> None:
        self._pulling = asyncio.ensure_future(anext(self._chunks))
        try:
            controller.enqueue(to_js(await self._pulling))
        except StopAsyncIteration:
            controller.close()
            self._free()
        except asyncio.CancelledError:
            # `_cancel` did this and frees what is held.
            pass
        except Exception as error:
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
