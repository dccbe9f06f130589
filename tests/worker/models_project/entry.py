"""The entry point of a Worker that lets a test talk to the model: `POST /ask` with a `Question`.

The reply is a stream of lines: each delta as it comes, then how it ended. `GET /counts` is what is alive; every other
path is the application's own.
"""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

import js
import msgspec
from workers import WorkerEntrypoint

from waypost_worker.app import App
from waypost_worker.cloudflare.clock import CloudflareClock
from waypost_worker.cloudflare.fetch import CloudflareAi, CloudflareHttp
from waypost_worker.cloudflare.worker import CloudflareRandom, make_app, serve
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import ModelError
from waypost_worker.http.messages import Request, Response
from waypost_worker.models.model import Model, Piece
from waypost_worker.models.settings import ModelSettings
from waypost_worker.models.workers_ai import WorkersAiModel

NDJSON = {"Content-Type": "application/x-ndjson"}

LEFT_BY_ANY_REQUEST = (
    *("Default", "_EnvWrapper", "method"),
    *("tuple", "mappingproxy", "Signature", "OrderedDict", "Parameter"),
)
"""What the SDK's entrypoint leaves until V8 collects its garbage."""


class AiReply(msgspec.Struct, rename="camel"):
    """A reply of the binding: this text, or what is at this address, as the real one fetches it; or a refusal."""

    text: str = ""
    status: int = 200
    content_type: str = "text/event-stream"
    url: str | None = None
    refusal: str | None = None


class Question(msgspec.Struct, rename="camel"):
    """What to ask, and how: another model; one on a binding that replies like this; reading only so many deltas;
    cancelling the wait for a delta after this time; keeping the reply open after its end."""

    items: list[ChatMessage]
    model: str | None = None
    ai: list[AiReply] | None = None
    stop_after: int | None = None
    give_up_seconds: float | None = None
    linger_seconds: float = 0


class Talk:
    """In front of the application: a way to its model."""

    def __init__(self, app: App) -> None:
        self.isolate = app.isolate
        self.clock = app.clock
        self._app = app

    async def handle(self, request: Request) -> Response:
        if request.path == "/counts":
            return Response(200, msgspec.json.encode(_counts(self._app)), {"Content-Type": "application/json"})
        if request.path == "/unread":
            return Response(200, _unread((await request.read_body(1024) or b"").decode()), dict(NDJSON))
        if request.path != "/ask":
            return await self._app.handle(request)
        question = msgspec.json.decode(await request.read_body(1 << 20) or b"", type=Question)
        model, binding = self._app.model, None
        if question.ai is not None:
            binding = ScriptedBinding(question.ai)
            settings = ModelSettings("workers-ai", timeout_seconds=2)
            ai, log = CloudflareAi(binding), js.console.error
            model = WorkersAiModel(settings, ai, CloudflareClock(), CloudflareRandom(), log)
        return Response(200, _lines(model, question, binding), dict(NDJSON))


class ScriptedBinding:
    """What `env.AI` is to the adapter; `asked` is what it got."""

    def __init__(self, replies: list[AiReply]) -> None:
        self.asked: list[Any] = []
        self._replies = replies

    def run(self, model: str, inputs: Any, options: Any) -> Any:
        self.asked.append([model, inputs.to_py(), options.returnRawResponse])
        reply = self._replies.pop(0)
        if reply.refusal is not None:
            return js.Promise.reject(js.Error.new(reply.refusal))
        if reply.url is not None:
            init = js.JSON.parse('{"method":"POST"}')
            init.signal = options.signal
            return js.fetch(reply.url, init)
        head = {"status": reply.status, "headers": {"content-type": reply.content_type}}
        return js.Promise.resolve(js.Response.new(reply.text, js.JSON.parse(msgspec.json.encode(head).decode())))


async def _lines(model: Model, question: Question, binding: ScriptedBinding | None) -> AsyncGenerator[bytes, None]:
    end: dict[str, Any] = {"end": "ok"}
    count = 0
    try:
        async with aclosing(model.stream(question.items, question.model)) as pieces:
            while count != question.stop_after and (piece := await _next(pieces, question.give_up_seconds)) is not None:
                yield _line({"piece": piece})
                count += 1
    except ModelError as error:
        end = {"end": error.code, "detail": error.detail, "log": error.log_detail}
    if binding is not None:
        end["asked"] = binding.asked
    yield _line(end)
    # As long as the reply is open, the runtime closes nothing by itself.
    await asyncio.sleep(question.linger_seconds)


async def _unread(url: str) -> AsyncGenerator[bytes, None]:
    """Get a reply and close it without a look at its body."""
    fetched = await CloudflareHttp().post(url, {}, b"{}", 5)
    await fetched.chunks.aclose()
    yield str(fetched.status).encode()
    await asyncio.sleep(20)


async def _next(pieces: AsyncGenerator[Piece, None], give_up_seconds: float | None) -> Piece | None:
    if give_up_seconds is None:
        return await anext(pieces, None)
    coming = asyncio.ensure_future(anext(pieces, None))
    await asyncio.wait({coming}, timeout=give_up_seconds)
    if not coming.done():
        coming.cancel()
    with suppress(asyncio.CancelledError):
        return await coming
    return None


def _line(value: dict[str, Any]) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def _counts(app: App) -> dict[str, int]:
    gc.collect()
    live = gc.get_objects()
    kinds = Counter(type(item).__name__ for item in live)
    return {
        "asyncGenerators": kinds["async_generator"],
        "coroutines": kinds["coroutine"],
        "tasks": kinds["Task"] + kinds["PyodideTask"],
        "futures": kinds["Future"] + kinds["PyodideFuture"],
        "openProxies": app.isolate.open_proxies,
        "own": sum(str(type(item).__module__).startswith("waypost_worker.") for item in live),
        "others": kinds.total() - sum(kinds[kind] for kind in LEFT_BY_ANY_REQUEST),
    }  # fmt: skip


_talks: list[Talk] = []


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        if not _talks:
            _talks.append(Talk(make_app()))
        return await serve(_talks[0], request.js_object)
