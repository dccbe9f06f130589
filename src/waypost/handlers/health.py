"""`/health`: whether the service can be used, and the limits in force."""

import msgspec

from waypost.errors import BudgetSpent, StorageUnavailable, Unconfigured
from waypost.handlers.call import Call
from waypost.http import Response, json_response
from waypost.limits import MAX_BODY_BYTES, MAX_SESSION_AGE_SECONDS, MAX_WAIT_SECONDS
from waypost.version import VERSION


class LimitsView(msgspec.Struct, rename="camel"):
    """The limits that a client meets."""

    max_body_bytes: int
    max_wait_seconds: int
    session_ttl_seconds: int
    max_session_age_seconds: int
    queue_ttl_seconds: int
    stream_seconds: int
    conversation_ttl_seconds: int
    history_limit: int


class HealthView(msgspec.Struct, rename="camel"):
    """`code` and `detail` say what is wrong where `status` is not `ok`; `model` is who answers in chats.

    `rateLimits`: each budget by the name of its binding, and whether it is bound; `rateLimit`: whether all are.
    """

    status: str
    storage: str
    version: str
    plan: str
    model: str
    rate_limit: bool
    rate_limits: dict[str, bool]
    limits: LimitsView
    code: str | None = None
    detail: str | None = None


async def health(call: Call) -> Response:
    """200 when usable; 503 with the reason when not."""
    settings = call.settings
    bound = call.limits.bound()
    view = HealthView(
        "ok",
        call.storage,
        VERSION,
        settings.plan.name,
        call.model.name,
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
        ),
    )
    try:
        if settings.problem:
            raise Unconfigured(settings.problem)
        # A list, not a get: the miss of a get would be remembered, and a key that is always there is a write.
        await call.kv.list("health:", limit=1)
    except (Unconfigured, StorageUnavailable, BudgetSpent) as error:
        return json_response(
            msgspec.structs.replace(view, status="unavailable", code=error.code, detail=error.detail), 503
        )
    return json_response(view)
