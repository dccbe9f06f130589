"""`/health`: whether the service is usable, and its limits. `/debug/objects`: counts of what is alive."""

import gc
from collections import Counter

import msgspec

from waypost_worker.context.request_context import RequestContext
from waypost_worker.errors import BudgetSpent, Restarting, RouteNotFound, StorageUnavailable, Unconfigured
from waypost_worker.http.messages import Response, json_response
from waypost_worker.http.placement import placement_of
from waypost_worker.limits import MAX_BODY_BYTES, MAX_SESSION_AGE_SECONDS, MAX_WAIT_SECONDS
from waypost_worker.version import VERSION


class LimitsView(msgspec.Struct, rename="camel"):
    """The limits that apply to clients."""

    max_body_bytes: int
    max_wait_seconds: int
    session_ttl_seconds: int
    max_session_age_seconds: int
    queue_ttl_seconds: int
    stream_seconds: int
    conversation_ttl_seconds: int
    history_limit: int
    thread_ttl_seconds: int
    thread_history_limit: int
    history_bytes: int


class HealthView(msgspec.Struct, rename="camel"):
    """`code` and `detail` say what is wrong if `status` is not `ok`; `model` answers in chats.

    `rateLimits`: each budget by the name of its binding, and whether that is bound; `rateLimit`: whether all are.

    `placement`: where this request ran, if the Worker is placed (`remote-IAD`: passed on to the place; `local-FRA`: ran
    where it came in). `colo`: the data centre that it came to. Both by the code of an airport, as Cloudflare says it.
    """

    status: str
    storage: str
    version: str
    plan: str
    model: str
    rate_limit: bool
    rate_limits: dict[str, bool]
    limits: LimitsView
    placement: str | None = None
    colo: str | None = None
    code: str | None = None
    detail: str | None = None


async def health(context: RequestContext) -> Response:
    """200 if the service is usable; 503 with the reason if not."""
    settings = context.settings
    bound = context.limits.bound()
    view = HealthView(
        "ok",
        context.storage,
        VERSION,
        settings.plan.name,
        context.model.name,
        all(bound.values()),
        bound,
        LimitsView(
            MAX_BODY_BYTES,
            MAX_WAIT_SECONDS,
            settings.session_ttl_seconds,
            MAX_SESSION_AGE_SECONDS,
            settings.queue_ttl_seconds,
            settings.plan.stream_seconds,
            settings.conversation_ttl_seconds,
            settings.history_limit,
            settings.thread_ttl_seconds,
            settings.thread_history_limit,
            settings.history_bytes,
        ),
        placement_of(context.request.headers),
        context.request.colo(),
    )
    try:
        context.isolate.check()
        if settings.problem:
            raise Unconfigured(settings.problem)
        # A list, not a get: KV caches the miss of a get, and a key that always exists would need writes.
        await context.kv.list("health:", limit=1)
    except (Restarting, Unconfigured, StorageUnavailable, BudgetSpent) as error:
        return json_response(
            msgspec.structs.replace(view, status="unavailable", code=error.code, detail=error.detail), 503
        )
    return json_response(view)


async def objects(context: RequestContext) -> Response:
    """Counts live Python objects, open streams, subscriptions to local channels, and proxies held by JavaScript. Served
    only if `DIAGNOSTICS` is on."""
    if not context.settings.diagnostics:
        raise RouteNotFound("Nothing is served at this path.")
    gc.collect()
    live = gc.get_objects()
    kinds = Counter(type(item).__name__ for item in live)
    return json_response({
        "openStreams": context.isolate.open_streams,
        "listeners": context.isolate.messages.listeners + context.isolate.changes.listeners,
        "openProxies": context.isolate.open_proxies,
        "asyncGenerators": kinds["async_generator"],
        "coroutines": kinds["coroutine"],
        "jsProxies": sum(count for kind, count in kinds.items() if kind.startswith("JsProxy")),
        # The runtime's own objects come and go with V8's garbage collector; ours must come back exactly.
        "own": sum(str(type(item).__module__).startswith("waypost_worker.") for item in live),
        "objects": kinds.total(),
    })  # fmt: skip
