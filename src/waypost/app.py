"""The composition root: ports in, the route table, and what every reply has in common."""

import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable

from waypost.clock import Clock
from waypost.cors import allow_origin, is_preflight, preflight_response
from waypost.echo_model import EchoModel
from waypost.errors import Unconfigured, WaypostError
from waypost.handlers import (
    chat,
    conversations,
    debug,
    documents,
    health,
    pages,
    queues,
    sessions,
    streams,
    threads,
    voice,
)
from waypost.handlers.call import Call
from waypost.http import Request, Response, problem, problem_response
from waypost.invocation import Invocation
from waypost.isolate import Isolate
from waypost.kv import Kv
from waypost.metered_kv import MeteredKv
from waypost.model import Model
from waypost.random import Random
from waypost.retrying_kv import RetryingKv
from waypost.routing import Route, Router
from waypost.settings import Settings
from waypost.throttle import Limiter, MissThrottle

Handler = Callable[[Call], Awaitable[Response]]

ROUTES: tuple[Route[Handler], ...] = (
    Route("POST", "/api/sessions", sessions.create),
    Route("GET", "/api/sessions/{code}", sessions.read),
    Route("DELETE", "/api/sessions/{code}", sessions.delete),
    Route("POST", "/api/sessions/{code}/extend", sessions.extend),
    Route("POST", "/api/sessions/{code}/join", sessions.join),
    Route("PUT", "/api/sessions/{code}/tools", sessions.put_tools),
    Route("GET", "/api/sessions", threads.list_page),
    Route("DELETE", "/api/sessions", threads.delete),
    Route("POST", "/api/sessions/metadata", threads.describe),
    Route("POST", "/api/request", queues.post_request),
    Route("POST", "/api/request/{id}/cancel", queues.cancel_request),
    Route("POST", "/api/response", queues.post_response),
    Route("POST", "/api/ack", queues.acknowledge),
    Route("GET", "/api/stream", streams.stream),
    Route("GET", "/api/poll", streams.poll),
    Route("GET", "/api/conversations/{sessionId}", conversations.read),
    Route("PUT", "/api/conversations/{sessionId}", conversations.replace),
    Route("DELETE", "/api/conversations/{sessionId}", conversations.delete),
    Route("POST", "/api/conversations/{sessionId}/messages", conversations.append),
    Route("POST", "/api/voice-agent/chat", voice.post_voice),
    Route("POST", "/api/chat", chat.post_chat),
    Route("POST", "/api/chat/fork", chat.fork_chat),
    Route("GET", "/api/chat/{threadId}/stream", chat.stream_chat),
    Route("POST", "/api/chat/{threadId}/stop", chat.stop_chat),
    Route("GET", "/api/sessions/{sid}/intents", documents.read),
    Route("PUT", "/api/sessions/{sid}/intents", documents.put),
    Route("DELETE", "/api/sessions/{sid}/intents", documents.delete),
    Route("GET", "/api/sessions/{sid}/theme", documents.read),
    Route("PUT", "/api/sessions/{sid}/theme", documents.put),
    Route("DELETE", "/api/sessions/{sid}/theme", documents.delete),
    Route("GET", "/api/sessions/{sid}/documents", documents.list_documents),
    Route("GET", "/api/sessions/{sid}/documents/{name}", documents.read),
    Route("PUT", "/api/sessions/{sid}/documents/{name}", documents.put),
    Route("DELETE", "/api/sessions/{sid}/documents/{name}", documents.delete),
    Route("GET", "/api/sessions/{sid}/pages", pages.list_pages),
    Route("GET", "/api/pages/{intentId}", pages.read),
    Route("PUT", "/api/pages/{intentId}", pages.put),
    Route("DELETE", "/api/pages/{intentId}", pages.delete),
    Route("GET", "/pages/{intentId}", pages.show),
    Route("GET", "/health", health.health),
    Route("GET", "/debug/objects", debug.objects),
)


class App:
    """Serves requests. One per isolate; all that it keeps between two requests is in `isolate` and the throttle."""

    def __init__(
        self,
        settings: Settings,
        kv: Kv,
        clock: Clock,
        random: Random,
        log: Callable[[str], None],
        limiter: Limiter | None = None,
        storage: str = "kv",
        model: Model | None = None,
    ) -> None:
        self.isolate = Isolate(clock, random)
        self.model = model or EchoModel(clock)
        self._settings = settings
        self._kv = kv
        self._clock = clock
        self._random = random
        self._log = log
        self._throttle = MissThrottle(limiter, clock)
        self._storage = storage
        self._router: Router[Handler] = Router(ROUTES)

    async def handle(self, request: Request) -> Response:
        """The reply to `request`; never raises."""
        request_id = request.headers.get("cf-ray") or self._random.random_bytes(8).hex()
        meter = MeteredKv(self._kv, self._clock, self._settings.plan.operations_per_invocation)
        try:
            response = await self._answer(request, request_id, meter)
        except WaypostError as error:
            response = problem_response(error)
        except Exception:
            self._log(f"[{request_id}] {request.method} failed\n{traceback.format_exc()}")
            detail = f"Something went wrong here. If it happens again, report the request id {request_id}."
            response = problem(500, "internal", "An error that was not expected", detail)
        allow_origin(request, response, self._settings.allowed_origins)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Request-Id"] = request_id
        response.headers["Server-Timing"] = f'kv;desc="{meter.operations} operations";dur={meter.elapsed_ms}'
        if self._storage != "kv":
            response.headers["Waypost-Storage"] = self._storage
        if request.method == "HEAD":
            await _drop_body(response)
        return response

    async def _answer(self, request: Request, request_id: str, meter: MeteredKv) -> Response:
        if is_preflight(request):
            return preflight_response()
        route, params = self._router.find(request.method, request.path)
        if self._settings.problem and route.handler is not health.health:
            raise Unconfigured(self._settings.problem)
        call = Call(
            request=request,
            params=params,
            query=request.query(),
            settings=self._settings,
            clock=self._clock,
            random=self._random,
            isolate=self.isolate,
            throttle=self._throttle,
            kv=RetryingKv(meter, self._clock, self._random),
            storage=self._storage,
            model=self.model,
            invocation=Invocation(self._settings.plan, self._clock, meter),
            log=lambda line: self._log(f"[{request_id}] {line}"),
        )
        return await route.handler(call)


async def _drop_body(response: Response) -> None:
    if isinstance(response.body, AsyncGenerator):
        await response.body.aclose()
    response.body = None
