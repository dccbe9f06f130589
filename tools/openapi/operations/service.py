"""`/health` and `/debug`: for the operator."""

from __future__ import annotations

from tools.openapi.parts import APP_ITSELF, JSON, METRICS, NOBODY_KNOWN, Operation, Reply
from tools.openapi.problems import APP_ITSELF as APP_ITSELF_PROBLEMS
from waypost_worker.errors import RouteNotFound
from waypost_worker.handlers.service import HealthView

_COUNTS = {
    "type": "object",
    "description": "What is counted, and how many there are.",
    "additionalProperties": {"type": "integer", "minimum": 0},
}

_METRICS = {
    "type": "string",
    "description": "https://prometheus.io/docs/instrumenting/exposition_formats/",
    "pattern": r"^# HELP waypost_build_info ",
}

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
        description="For monitors: no token is needed. Each request reads from KV once.",
    ),
    "GET /metrics": Operation(
        "readMetrics",
        "service",
        APP_ITSELF,
        {200: Reply("The metrics.", {METRICS: _METRICS})},
        APP_ITSELF_PROBLEMS,
        summary="The metrics of the isolate that this request reached, as Prometheus' text format 0.0.4.",
        description=(
            "Each sample has the label `isolate`: a later request may reach another isolate, with counts of its own. "
            "Only for app keys, so without `APP_KEYS` the reply is 401."
        ),
    ),
    "GET /debug/objects": Operation(
        "countObjects",
        "service",
        NOBODY_KNOWN,
        {200: Reply("Counts.", {JSON: _COUNTS})},
        (RouteNotFound,),
        summary="Counts of live objects in this isolate; only if `DIAGNOSTICS` is on.",
        description="For tests that look for leaks. Never switch it on where others can reach it.",
    ),
}
