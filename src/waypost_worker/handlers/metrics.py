"""`/metrics`: what this isolate has served, for an app's backend or its Prometheus."""

from waypost_worker.context.auth import require_app_key
from waypost_worker.context.request_context import RequestContext
from waypost_worker.errors import TokenRequired
from waypost_worker.http.messages import Response
from waypost_worker.telemetry.prometheus import MEDIA_TYPE, encode_metrics
from waypost_worker.version import VERSION

OPERATIONS = {"read": "get", "write": "put", "delete": "delete", "list": "list"}
"""The kinds of the metrics, and the store's names for them."""


async def read(context: RequestContext) -> Response:
    """The metrics of the isolate that this request reached, as Prometheus' text format 0.0.4."""
    if not context.settings.app_keys:
        raise TokenRequired("Metrics are for app keys, and this deployment has none: set the secret APP_KEYS.")
    await require_app_key(context)
    isolate = context.isolate
    used_up = isolate.daily_limits.operations
    body = encode_metrics(
        isolate.metrics,
        isolate.name(),
        VERSION,
        isolate.open_streams,
        {kind: operation in used_up for kind, operation in OPERATIONS.items()},
    )
    return Response(200, body, {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"})
