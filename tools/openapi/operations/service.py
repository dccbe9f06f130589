"""`/health` and `/debug`: for the operator."""

from __future__ import annotations

from tools.openapi.parts import JSON, NOBODY_KNOWN, Operation, Reply
from waypost_worker.errors import RouteNotFound
from waypost_worker.handlers.service import HealthView

_COUNTS = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}

OPERATIONS = {
    "GET /health": Operation(
        "health",
        "service",
        NOBODY_KNOWN,
        {
            200: Reply("The service is usable.", {JSON: HealthView}),
            503: Reply("It is not; `code` and `detail` say why.", {JSON: HealthView}),
        },
        summary="Whether the service is usable, and its limits.",
    ),
    "GET /debug/objects": Operation(
        "countObjects",
        "service",
        NOBODY_KNOWN,
        {200: Reply("Counts.", {JSON: _COUNTS})},
        (RouteNotFound,),
        summary="Counts of live objects in this isolate; only if `DIAGNOSTICS` is on.",
    ),
}
