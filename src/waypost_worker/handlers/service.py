"""`/health`: whether the service is usable, and its limits. `/debug/objects`: counts of what is alive."""

import gc
from collections import Counter

import msgspec

from waypost_worker.context.request_context import RequestContext
from waypost_worker.errors import (
    BudgetSpent,
    DailyLimit,
    Restarting,
    RouteNotFound,
    StorageUnavailable,
    Unconfigured,
    WaypostError,
)
from waypost_worker.http.messages import Response, json_response
from waypost_worker.http.placement import placement_of
from waypost_worker.limits import MAX_BODY_BYTES, MAX_SESSION_AGE_SECONDS, MAX_WAIT_SECONDS
from waypost_worker.polling.plans import FREE
from waypost_worker.security.tokens import key_fingerprint
from waypost_worker.version import VERSION, DeployedVersion


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


class DailyLimitView(msgspec.Struct):
    """The kinds of KV operations that are used up today, and until when (Unix time in milliseconds)."""

    operations: tuple[str, ...]
    until: int


class HealthView(msgspec.Struct, rename="camel"):
    """`code` and `detail` say what is wrong if `status` is not `ok`; `model` answers in chats.

    `plan`: the pace in force now; `planSet`: what is set, empty if nothing is; `planHint`: how to set it, then.
    `dailyLimit`: if the free plan's operations of today are used up, which ones.
    `rateLimits`: each budget by the name of its binding, and whether that is bound; `rateLimit`: whether all are.

    `placement`: where this request ran, if the Worker is placed (`remote-IAD`: passed on to the place; `local-FRA`: ran
    where it came in). `colo`: the data centre that it came to. Both by the code of an airport, as Cloudflare says it.
    `workerVersion`: which upload of the Worker serves it, if that is bound.

    `signingKeys`: the fingerprints of the keys whose tokens are accepted, first the one that signs.
    """

    status: str
    storage: str
    version: str
    plan: str
    plan_set: str
    plan_hint: str | None
    daily_limit: DailyLimitView | None
    model: str
    rate_limit: bool
    rate_limits: dict[str, bool]
    limits: LimitsView
    signing_keys: tuple[str, ...]
    placement: str | None = None
    worker_version: DeployedVersion | None = None
    colo: str | None = None
    code: str | None = None
    detail: str | None = None


PLAN_HINT = 'PLAN is not set, so the pace is the free plan\'s. If the account is on Workers Paid, set PLAN = "paid".'


async def health(context: RequestContext) -> Response:
    """200 if the service is usable; 503 with the reason if not."""
    settings = context.settings
    error = await _error(context)
    bound = context.limits.bound()
    used_up = context.isolate.daily_limits.operations
    view = HealthView(
        "ok" if error is None else "unavailable",
        context.storage,
        VERSION,
        # A limit that was met only now slows the next request.
        FREE.name if used_up else settings.plan.name,
        settings.plan_set,
        None if settings.plan_set or settings.problem else PLAN_HINT,
        DailyLimitView(used_up, context.isolate.daily_limits.until_ms) if used_up else None,
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
        tuple(key_fingerprint(key) for key in settings.signing_keys),
        placement_of(context.request.headers),
        context.deployed,
        context.request.colo(),
        None if error is None else error.code,
        None if error is None else error.detail,
    )
    return json_response(view, 200 if error is None else 503)


async def _error(context: RequestContext) -> WaypostError | None:
    """Why the service is not usable."""
    if context.settings.problem:
        return Unconfigured(context.settings.problem)
    try:
        context.isolate.check()
        if context.settings.plan is FREE:
            # A list a minute, as monitors would ask, is more than the free plan has in a day.
            await context.kv.get("health")
        else:
            # A list says more: KV caches the miss of a get.
            await context.kv.list("health:", limit=1)
    except (Restarting, StorageUnavailable, BudgetSpent, DailyLimit) as error:
        return error
    limits = context.isolate.daily_limits
    needed = [operation for operation in limits.operations if operation != "delete"]
    return limits.error(needed[0]) if needed else None


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
