"""The data points: their columns are an interface, and they keep to the limits of Analytics Engine."""

import json

from waypost_worker.app import ROUTES
from waypost_worker.telemetry.data_point import BLOBS, DOUBLES, data_point
from waypost_worker.telemetry.record import PREFLIGHT, UNMATCHED, RequestRecord


def test_each_column_has_its_number():
    record = RequestRecord(
        "POST", "id", 0, True, "/mcp", 200, "tab_away", "mcp", "trace", 1, "left", 2, 3, 4, 5, 6, 7, 8, 9, 10
    )
    point = json.loads(data_point(record, "upload-1"))
    assert point["indexes"] == ["/mcp"]
    assert dict(zip(BLOBS, point["blobs"], strict=True)) == {
        "method": "POST",
        "route": "/mcp",
        "status": "200",
        "code": "tab_away",
        "caller": "mcp",
        "ended": "left",
        "version": "upload-1",
    }
    assert dict(zip(DOUBLES, point["doubles"], strict=True)) == {
        "ms": 1,
        "kv_ms": 2,
        "reads": 3,
        "writes": 4,
        "deletes": 5,
        "lists": 6,
        "read_bytes": 7,
        "written_bytes": 8,
        "delivered": 9,
        "slowest_ms": 10,
    }


def test_a_point_keeps_to_the_limits():
    # https://developers.cloudflare.com/analytics/analytics-engine/limits/
    assert len(BLOBS) <= 20
    assert len(DOUBLES) <= 20
    assert max(len(name) for name in [*(route.template for route in ROUTES), UNMATCHED, PREFLIGHT]) <= 96
