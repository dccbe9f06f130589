"""The data point of one request in Workers Analytics Engine: which column is what.

https://developers.cloudflare.com/analytics/analytics-engine/. Columns have numbers and no names, so their order is part
of the interface: a new one is added at the end. Busy datasets are sampled by the index: each route keeps its rare
points. Sums and counts must weigh each row with `_sample_interval`.
"""

import msgspec

from waypost_worker.telemetry.record import RequestRecord

BLOBS = ("method", "route", "status", "code", "caller", "ended", "version")
"""`blob1` and so on."""

DOUBLES = (
    "ms",
    "kv_ms",
    "reads",
    "writes",
    "deletes",
    "lists",
    "read_bytes",
    "written_bytes",
    "delivered",
    "slowest_ms",
)
"""`double1` and so on."""


def data_point(record: RequestRecord, version: str) -> str:
    """The point of `record`, as the JSON that the binding takes. `version`: the id of the Worker's upload, or empty."""
    blobs = [record.method, record.route, str(record.status), record.code, record.caller, record.ended, version]
    doubles = [getattr(record, name) for name in DOUBLES]
    return msgspec.json.encode({"indexes": [record.route], "blobs": blobs, "doubles": doubles}).decode()
