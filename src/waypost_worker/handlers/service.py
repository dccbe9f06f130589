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
    """Bytes of a request's body; pages, messages and results of tools may have more."""
    max_wait_seconds: int
    """The longest `wait` of a request, in seconds."""
    session_ttl_seconds: int
    """Seconds that a session lasts without a renewal, unless its host chooses others."""
    max_session_age_seconds: int
    """Seconds that a session lasts at most, however often it is renewed."""
    queue_ttl_seconds: int
    """Seconds that a request or a response is kept."""
    stream_seconds: int
    """Seconds after which a stream ends, and its reader connects again."""
    conversation_ttl_seconds: int
    """Seconds that a conversation is kept after its last message."""
    history_limit: int
    """Messages that are kept of a conversation."""
    thread_ttl_seconds: int
    """Seconds that a thread is kept after its last message."""
    thread_history_limit: int
    """Messages that are kept of a thread."""
    history_bytes: int
    """Bytes that are kept of each conversation."""


class DailyLimitView(msgspec.Struct):
    """What is used up of the operations that the free plan has a day."""

    operations: tuple[str, ...]
    """The kinds of KV operations: `get`, `put`, `list`, `delete`."""
    until: int
    """When they are counted from 0 again: Unix time in milliseconds."""


class HealthView(msgspec.Struct, rename="camel"):
    """The state of the service, as one isolate of it sees it."""

    status: str
    """`ok`, or `unavailable`: then `code` and `detail` say why."""
    storage: str
    """`kv`, or `memory`: there is no KV namespace, and data is lost with the isolate."""
    version: str
    """The version of Waypost."""
    plan: str
    """The pace in force now, `free` or `paid`: how often streams look into KV."""
    plan_set: str
    """The setting `PLAN`; empty if it is not set."""
    plan_hint: str | None
    """How to set `PLAN`, if it is not set."""
    daily_limit: DailyLimitView | None
    """Which of the free plan's operations are used up today; null if none are."""
    model: str
    """The model that answers in chats."""
    rate_limit: bool
    """Whether all of `rateLimits` are bound."""
    rate_limits: dict[str, bool]
    """Each rate limit by the name of its binding, and whether that is bound: one that is not limits nothing."""
    limits: LimitsView
    """The limits that clients meet."""
    signing_keys: tuple[str, ...]
    """Fingerprints of the keys whose tokens are accepted. The first key signs new ones."""
    placement: str | None = None
    """Where this request ran, if the Worker is placed: `remote-IAD` was passed on to that place, `local-FRA` ran where
    it came in."""
    worker_version: DeployedVersion | None = None
    """The upload of the Worker that serves this request, if that is bound."""
    colo: str | None = None
    """The data centre that the request came to, by the code of an airport."""
    code: str | None = None
    """What is wrong, as the `code` of a problem document; null if nothing is."""
    detail: str | None = None
    """The same as a sentence."""


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
