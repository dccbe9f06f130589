"""The composition root: the ports, the route table, and what every response has in common."""

import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial

import msgspec

from waypost_worker.clock import Clock
from waypost_worker.context.isolate import Isolate
from waypost_worker.context.recording import Recording
from waypost_worker.context.request_context import RequestContext
from waypost_worker.errors import RouteNotFound, Unconfigured, WaypostError
from waypost_worker.handlers import (
    chat,
    chat_history,
    conversation_messages,
    conversations,
    documents,
    mcp_addresses,
    metrics,
    pages,
    queues,
    resources,
    service,
    sessions,
    streams,
    thread_changes,
    threads,
    tokens,
    voice,
)
from waypost_worker.http.cors import is_preflight, preflight_response
from waypost_worker.http.cross_origin import is_from_known_origin, refuse_origin, require_own_host
from waypost_worker.http.loads import Loads
from waypost_worker.http.log_entry import log_entry, ray_of
from waypost_worker.http.lost_page import lost_page, wants_page
from waypost_worker.http.messages import Request, Response, bounded, problem, problem_response
from waypost_worker.http.page_access import PageAccess
from waypost_worker.http.routing import Route, Router, canonical_path
from waypost_worker.http.security_headers import BROWSER_HEADERS
from waypost_worker.http.server_timing import server_timing
from waypost_worker.http.streams import in_pieces
from waypost_worker.http.trace_context import TraceContext, parse_trace_context
from waypost_worker.kv.metered import MeteredKv, Payment
from waypost_worker.kv.platform_limits import LimitedKv
from waypost_worker.kv.retrying import RetryingKv
from waypost_worker.kv.store import Kv
from waypost_worker.limits import MAX_BODY_BYTES
from waypost_worker.mcp import endpoint as mcp
from waypost_worker.models.echo import EchoModel
from waypost_worker.models.model import Model
from waypost_worker.polling.invocation import Invocation
from waypost_worker.polling.plans import FREE
from waypost_worker.random import Random
from waypost_worker.security.guess_throttle import GuessThrottle
from waypost_worker.security.rate_limits import Limit, Limiter, RateLimits
from waypost_worker.settings import Settings
from waypost_worker.telemetry.observer import NoSinks, Observer, Sinks
from waypost_worker.telemetry.record import METHODS, OTHER_METHOD, PREFLIGHT, RequestRecord
from waypost_worker.version import DeployedVersion

Handler = Callable[[RequestContext], Awaitable[Response]]

# The budgets that a request spends; a wrong code, token or key spends MISS besides, a large append APPEND.
ANY = (Limit.ADDRESS,)
BY_SECRET = (Limit.ADDRESS, Limit.MISS)
OPENING = (Limit.ADDRESS, Limit.SESSION)
TO_QUEUE = (Limit.ADDRESS, Limit.MISS, Limit.REQUEST)
APPENDS = (Limit.ADDRESS, Limit.MISS, Limit.APPEND)
MESSAGES = (Limit.ADDRESS, Limit.MISS, Limit.MESSAGE)
ASKING = (Limit.ADDRESS, Limit.MISS, Limit.ANSWER, Limit.APPEND)

# What a generation keeps to write its end with (GENERATION_RESERVED_OPERATIONS), and a use for the request itself.
GENERATION_USES = 6

ROUTES: tuple[Route[Handler], ...] = (
    Route("POST", "/api/sessions", sessions.create, OPENING),
    Route("GET", "/api/sessions/{code}", sessions.read, BY_SECRET),
    Route("DELETE", "/api/sessions/{code}", sessions.delete, BY_SECRET),
    Route("POST", "/api/sessions/{code}/extend", sessions.extend, BY_SECRET),
    Route("POST", "/api/sessions/{code}/join", sessions.join, BY_SECRET),
    Route("POST", "/api/sessions/{code}/leave", sessions.leave, BY_SECRET),
    Route("PUT", "/api/sessions/{code}/tools", sessions.put_tools, BY_SECRET),
    Route("PUT", "/api/sessions/{code}/address", mcp_addresses.take, BY_SECRET),
    Route("DELETE", "/api/addresses/{address}", mcp_addresses.withdraw, ANY),
    Route("POST", "/api/tokens", tokens.create, BY_SECRET),
    Route("GET", "/api/sessions", threads.list_page, BY_SECRET),
    Route("DELETE", "/api/sessions", threads.delete, BY_SECRET),
    Route("POST", "/api/sessions/metadata", threads.describe, BY_SECRET),
    Route("POST", "/api/threads", thread_changes.begin, BY_SECRET),
    Route("PATCH", "/api/threads/{threadId}", thread_changes.change, BY_SECRET),
    Route("DELETE", "/api/resources/{resourceId}", resources.delete, BY_SECRET),
    Route("GET", "/api/resources/{resourceId}/export", resources.export, BY_SECRET),
    Route("POST", "/api/request", queues.post_request, TO_QUEUE),
    Route("POST", "/api/request/{id}/cancel", queues.cancel_request, TO_QUEUE),
    Route("POST", "/api/response", queues.post_response, TO_QUEUE),
    Route("POST", "/api/ack", queues.acknowledge, TO_QUEUE),
    Route("GET", "/api/stream", streams.stream, BY_SECRET),
    Route("GET", "/api/poll", streams.poll, BY_SECRET),
    Route("GET", "/api/conversations/{sessionId}", conversations.read, BY_SECRET),
    Route("PUT", "/api/conversations/{sessionId}", conversations.replace, APPENDS),
    Route("DELETE", "/api/conversations/{sessionId}", conversations.delete, APPENDS),
    Route("POST", "/api/conversations/{sessionId}/messages", conversation_messages.append, MESSAGES),
    Route("DELETE", "/api/conversations/{sessionId}/messages/{messageId}", conversation_messages.delete, MESSAGES),
    Route("POST", "/api/conversations/{sessionId}/pop", conversation_messages.pop, MESSAGES),
    Route("POST", "/api/voice-agent/chat", voice.post_voice, ASKING, GENERATION_USES),
    Route("POST", "/api/chat", chat.post_chat, ASKING, GENERATION_USES),
    Route("POST", "/api/chat/fork", chat.fork_chat, ASKING, GENERATION_USES),
    Route("GET", "/api/chat/{threadId}", chat_history.read_chat, BY_SECRET),
    Route("GET", "/api/chat/{threadId}/stream", chat.stream_chat, BY_SECRET),
    Route("POST", "/api/chat/{threadId}/stop", chat.stop_chat, BY_SECRET),
    Route("GET", "/api/sessions/{sid}/intents", documents.read, BY_SECRET),
    Route("PUT", "/api/sessions/{sid}/intents", documents.put, APPENDS),
    Route("DELETE", "/api/sessions/{sid}/intents", documents.delete, APPENDS),
    Route("GET", "/api/sessions/{sid}/theme", documents.read, BY_SECRET),
    Route("PUT", "/api/sessions/{sid}/theme", documents.put, APPENDS),
    Route("DELETE", "/api/sessions/{sid}/theme", documents.delete, APPENDS),
    Route("GET", "/api/sessions/{sid}/documents", documents.list_documents, BY_SECRET),
    Route("GET", "/api/sessions/{sid}/documents/{name}", documents.read, BY_SECRET),
    Route("PUT", "/api/sessions/{sid}/documents/{name}", documents.put, APPENDS),
    Route("DELETE", "/api/sessions/{sid}/documents/{name}", documents.delete, APPENDS),
    Route("GET", "/api/sessions/{sid}/pages", pages.list_pages, BY_SECRET),
    Route("GET", "/api/pages/{intentId}", pages.read, ANY),
    Route("PUT", "/api/pages/{intentId}", pages.put, APPENDS),
    Route("DELETE", "/api/pages/{intentId}", pages.delete, APPENDS),
    Route("GET", "/pages/{intentId}", pages.show, ANY),
    Route("POST", "/mcp/{code}", mcp.post, TO_QUEUE),
    Route("GET", "/mcp/{code}", mcp.get, BY_SECRET),
    Route("DELETE", "/mcp/{code}", mcp.delete, ANY),
    Route("POST", "/mcp", mcp.post, TO_QUEUE),
    Route("GET", "/mcp", mcp.get, BY_SECRET),
    Route("DELETE", "/mcp", mcp.delete, ANY),
    Route("GET", "/health", service.health, ANY),
    Route("GET", "/metrics", metrics.read, BY_SECRET),
    Route("GET", "/debug/objects", service.objects, ANY),
)


class App:
    """Serves requests. One per isolate; its only state between requests is in `isolate` and the throttle."""

    def __init__(
        self,
        settings: Settings,
        kv: Kv,
        clock: Clock,
        random: Random,
        log: Callable[[str], None],
        limiters: Mapping[Limit, Limiter] | None = None,
        storage: str = "kv",
        model: Model | None = None,
        sinks: Sinks | None = None,
        deployed: DeployedVersion | None = None,
    ) -> None:
        self.isolate = Isolate(clock, random)
        # Only app keys may read the metrics.
        counts = self.isolate.metrics if settings.app_keys else None
        self._observer = Observer(sinks or NoSinks(), settings.log_level, counts)
        self._deployed = deployed
        self.model = model or EchoModel(clock)
        self._settings = settings
        self._slowed_settings = replace(settings, plan=FREE)
        self._kv = LimitedKv(kv, self.isolate.daily_limits)
        self.clock = clock
        self._random = random
        self._log = log
        self._limits = RateLimits(limiters or {})
        self._throttle = GuessThrottle((limiters or {}).get(Limit.MISS), clock)
        self._storage = storage
        self._router: Router[Handler] = Router(ROUTES)
        self._pages = PageAccess(settings.allowed_origins, settings.signing_keys, clock)

    async def handle(self, request: Request) -> Response:
        """The response to `request`; never raises."""
        if (path := canonical_path(request.path)) != request.path:
            request = msgspec.structs.replace(request, path=path)
        trace = parse_trace_context(request.headers.get("traceparent"), request.headers.get("tracestate"))
        record = self._record(request, trace)
        request_id = record.request_id
        settings = self._settings_now()
        meter = MeteredKv(self._kv, self.clock, settings.plan.operations_per_invocation)
        recording = Recording(record, self._observer, meter, self.clock)
        loads = Loads(self.isolate.loads, request.client_ip, self.clock)
        try:
            response = await self._answer(request, recording, trace, settings, meter, loads)
        except WaypostError as error:
            is_lost = isinstance(error, RouteNotFound) and wants_page(request)
            response = lost_page() if is_lost else problem_response(error)
        except Exception:
            self._log(log_entry(request_id, f"{request.method} failed\n{traceback.format_exc()}"))
            detail = f"An internal error occurred. If it happens again, report the request id {request_id}."
            response = problem(500, "internal", "Internal error", detail)
        self._pages.let_read(request, response)
        response.headers = BROWSER_HEADERS | response.headers
        response.headers["X-Request-Id"] = request_id
        response.headers["Server-Timing"] = server_timing(
            request, meter.operations, meter.elapsed_ms, self.isolate.name, trace, request_id
        )
        if self._storage != "kv":
            response.headers["Waypost-Storage"] = self._storage
        if request.method == "HEAD":
            await _drop_body(response)
        if isinstance(response.body, bytes) and len(response.body) > MAX_BODY_BYTES:
            response.body = in_pieces(response.body, loads)
        elif not isinstance(response.body, AsyncGenerator):
            loads.release()
        recording.answered(response)
        return response

    def _record(self, request: Request, trace: TraceContext | None) -> RequestRecord:
        ray = ray_of(request.headers.get("cf-ray"))
        return RequestRecord(
            request.method if request.method in METHODS else OTHER_METHOD,
            ray or self._random.random_bytes(8).hex(),
            self.clock.now_ms(),
            ray is not None,
            trace_id="" if trace is None else trace.trace_id,
        )

    def _settings_now(self) -> Settings:
        # What has a daily limit is on the free plan, whatever the settings say.
        return self._slowed_settings if self.isolate.daily_limits.operations else self._settings

    async def _answer(
        self,
        request: Request,
        recording: Recording,
        trace: TraceContext | None,
        settings: Settings,
        meter: MeteredKv,
        loads: Loads,
    ) -> Response:
        record = recording.record
        request = bounded(request)
        require_own_host(request, self._settings.allowed_origins)
        if is_preflight(request):
            record.route = PREFLIGHT
            return preflight_response(request)
        route, params = self._router.find(request.method, request.path)
        record.route = route.template
        if route.handler is pages.show and not is_from_known_origin(request, self._settings.allowed_origins):
            # Other sites may link to a page. Nothing is counted or read before a person has followed the link.
            if (offer := pages.offer(request)) is not None:
                return offer
        elif not self._pages.may_call(request):
            refuse_origin()
        if route.handler is not service.health:
            self.isolate.check()
            if self._settings.problem:
                raise Unconfigured(self._settings.problem)
        await self._limits.spend_of_address(route.limits, request.client_ip, route.uses)
        meter.payment = Payment(partial(self._limits.pay, request.client_ip), route.uses)
        context = RequestContext(
            request=request,
            params=params,
            query=request.query(),
            settings=settings,
            clock=self.clock,
            random=self._random,
            isolate=self.isolate,
            throttle=self._throttle,
            limits=self._limits,
            kv=RetryingKv(meter, self.clock, self._random),
            storage=self._storage,
            model=self.model,
            invocation=Invocation(settings.plan, self.clock, meter, self._random, self.isolate.phase_ms),
            loads=loads,
            log=lambda text: self._log(log_entry(record.request_id, text)),
            record=record,
            background=recording.in_background(request.background),
            trace=trace,
            deployed=self._deployed,
        )
        return await route.handler(context)


async def _drop_body(response: Response) -> None:
    if isinstance(response.body, AsyncGenerator):
        await response.body.aclose()
    response.body = None
