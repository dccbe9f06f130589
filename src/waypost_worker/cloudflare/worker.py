"""The runtime: adapts bindings, randomness, requests and responses of workerd to the ports and values of the service.

Only this package and src/entry.py know JavaScript. Two rules of the platform shape it. An object made while one request
is served (a promise, a timer, a task) must never be awaited by another. And a proxy passed to JavaScript lives until it
is destroyed, so every stream destroys its own.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import js
import msgspec
from pyodide.ffi import JsException
from workers import import_from_javascript

from waypost_worker.app import App
from waypost_worker.cloudflare.bodies import JsBody, js_body
from waypost_worker.cloudflare.clock import CloudflareClock
from waypost_worker.cloudflare.fetch import CloudflareAi, CloudflareHttp
from waypost_worker.cloudflare.isolate_end import IsolateEnd
from waypost_worker.cloudflare.kv import CloudflareKv, text_or_none
from waypost_worker.cloudflare.sinks import CloudflareSinks, deployed_version
from waypost_worker.cloudflare.soon import run_soon_in_microtasks
from waypost_worker.context.isolate import Isolate
from waypost_worker.http.messages import Request, content_length
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.store import Kv
from waypost_worker.loop_failure import watch_loop
from waypost_worker.models.providers import choose_model
from waypost_worker.security.client_address import caller_address
from waypost_worker.security.rate_limits import Limit
from waypost_worker.settings import NUMBERED_KEYS, read_settings

NAMESPACE = "WAYPOST"
AI = "AI"
POINTS = "WAYPOST_REQUESTS"
"""The dataset of Analytics Engine."""

VERSION_METADATA = "CF_VERSION_METADATA"
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
    "THREAD_TTL_SECONDS",
    "THREAD_HISTORY_LIMIT",
    "HISTORY_BYTES",
    "APP_KEYS",
    "MCP_HOST_GRACE_SECONDS",
    "MODEL_PROVIDER",
    "OPENAI_BASE_URL",
    "OPENAI_MODEL",
    "OPENAI_API_KEY",
    "OPENAI_HEADERS",
    "OPENAI_QUERY",
    "MODEL_PARAMETERS",
    "WORKERS_AI_MODEL",
    "INSTRUCTIONS",
    "AGENTS",
    "MODEL_TIMEOUT_SECONDS",
    "MODEL_PARTS",
    "PROMPT_BUDGET",
    "MAX_STEPS",
    "TOOL_SECONDS",
    "VOICE_SECONDS",
    "LOG_LEVEL",
)


class CloudflareLimiter:
    """The rate-limit port on its binding."""

    def __init__(self, binding: Any) -> None:
        self._limit = binding.limit

    def allows(self, key: str) -> Awaitable[bool]:
        try:
            asked = self._limit(js_functions().parse(msgspec.json.encode({"key": key}).decode()))
        except JsException as error:
            # A limit of the platform may be thrown by the call instead of by its promise.
            return self._allows(error)
        return self._allows(asked)

    async def _allows(self, asked: Any) -> bool:
        try:
            if isinstance(asked, JsException):
                raise asked
            outcome = await asked
        except JsException as error:
            # Fails open: an outage of the rate limits must not stop the service.
            js.console.error(f"a rate limit could not be asked: {error}")
            return True
        return bool(outcome.success)


class CloudflareRandom:
    """The runtime's CSPRNG."""

    def random_bytes(self, count: int) -> bytes:
        return os.urandom(count)


class JsFunctions:
    """JavaScript functions that belong to no request, looked up once: the look-up takes longer than the call."""

    def __init__(self) -> None:
        self.parse = js.JSON.parse
        self.stringify = js.JSON.stringify
        self.from_entries = js.Object.fromEntries
        self.new_response = js.Response.new
        self.with_resolvers = js.Promise.withResolvers
        self.wait_until = import_from_javascript("cloudflare:workers").waitUntil


@cache
def js_functions() -> JsFunctions:
    """Looked up at first use: at import, no JavaScript object may be held."""
    return JsFunctions()


BACKGROUND_BYTES = 4096
"""What a task in the background holds, roughly."""

_decode_fields = msgspec.json.Decoder(dict[str, str]).decode


def make_app(around: Callable[[Kv], Kv] = lambda kv: kv) -> App:
    """The application on the bindings and vars of this Worker; `around` may wrap the store."""
    workers = import_from_javascript("cloudflare:workers")
    env = workers.env
    clock, random = CloudflareClock(), CloudflareRandom()
    namespace = getattr(env, NAMESPACE, None)
    bindings = {limit: getattr(env, limit.value, None) for limit in Limit}
    ai = getattr(env, AI, None)
    settings = read_settings(_vars(env), has_ai=ai is not None)
    deployed = deployed_version(getattr(env, VERSION_METADATA, None))
    app = App(
        settings,
        around(MemoryKv(clock) if namespace is None else CloudflareKv(namespace)),
        clock,
        random,
        js.console.error,
        {limit: CloudflareLimiter(binding) for limit, binding in bindings.items() if binding is not None},
        "memory" if namespace is None else "kv",
        choose_model(
            settings.model, CloudflareHttp(), None if ai is None else CloudflareAi(ai), clock, random, js.console.error
        ),
        CloudflareSinks(getattr(env, POINTS, None), deployed),
        deployed,
    )
    end = IsolateEnd(app.isolate, clock, js.console.error, workers)
    end.abort_without_python()
    loop = asyncio.get_running_loop()
    run_soon_in_microtasks(loop)
    watch_loop(loop, end.begin)
    return app


def _vars(env: Any) -> Mapping[str, str]:
    values = {name: getattr(env, name, None) for name in (*SETTINGS, *NUMBERED_KEYS)}
    return {name: value for name, value in values.items() if isinstance(value, str)}


def enter_by(entrypoint: type, fetch: Callable[[Any], Coroutine[Any, Any, Any]]) -> None:
    """Makes every instance of `entrypoint`, a class of the SDK's kind, serve requests by the function `fetch`.

    For each request, the SDK's own __init__ wraps the context and the environment, which are not used here; and the
    signature of a method is inspected for each instance, that of a function once. Together that is a sixth of the cost
    of a small request. An __init__ defined in the class would be wrapped as well; one that is assigned later is not.
    """

    def init(self: Any, _context: Any, _env: Any) -> None:
        self.fetch = fetch

    entrypoint.__init__ = init  # type: ignore[misc]


async def serve(app: App, js_request: Any) -> Any:
    """The `Response` of the runtime to one `Request` of the runtime."""
    functions = js_functions()
    url = urlsplit(js_request.url)
    # One crossing for all of them; repeated fields are joined with commas.
    headers = _decode_fields(functions.stringify(functions.from_entries(js_request.headers)))

    address = caller_address(headers)
    share = app.isolate.bodies.share(address)

    body = JsBody(js_request, content_length(headers), app.clock, app.isolate, share)

    def background(work: Coroutine[Any, Any, None]) -> None:
        _run_in_background(work, app.isolate)

    def colo() -> str | None:
        return text_or_none(getattr(js_request.cf, "colo", None))

    request = Request(js_request.method, url.path, url.query, headers, body.read, background, address, url.scheme, colo)
    try:
        response = await app.handle(request)
    finally:
        share.release()
    if "cf-ray" in headers:
        body.cancel()
    else:
        # Not behind Cloudflare's network but behind wrangler's proxy, another workerd. It loses the response to a large
        # body that was not read: https://github.com/cloudflare/workerd/issues/1741
        await body.discard()
    init = functions.parse(msgspec.json.encode({"status": response.status, "headers": response.headers}).decode())
    return functions.new_response(js_body(response, app.isolate), init)


def _run_in_background(work: Coroutine[Any, Any, None], isolate: Isolate) -> None:
    functions = js_functions()
    ended = functions.with_resolvers()
    functions.wait_until(ended.promise)

    async def run() -> None:
        try:
            await work
        except Exception as error:
            js.console.error(f"work in the background broke off: {error!r}")
        finally:
            isolate.background.pop(name)
            ended.resolve()

    task = asyncio.ensure_future(run())
    # The event loop holds only a weak reference to a task.
    name = str(id(task))
    isolate.background.put(name, task, isolate.clock.now_ms(), BACKGROUND_BYTES)
