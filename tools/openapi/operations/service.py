"""`/health`, and what is there for whoever runs the service."""

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
            200: Reply("It can be used.", {JSON: HealthView}),
            503: Reply("It can't; `code` and `detail` say why.", {JSON: HealthView}),
        },
        summary="Whether the service can be used, and the limits in force.",
    ),
    "GET /debug/objects": Operation(
        "countObjects",
        "service",
        NOBODY_KNOWN,
        {200: Reply("Counts.", {JSON: _COUNTS})},
        (RouteNotFound,),
        summary="What is alive in this isolate; only where `DIAGNOSTICS` is on.",
    ),
}
