"""The line of one request in the log: a JSON object of one line, whose fields Workers Logs indexes."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from waypost_worker.telemetry.record import BROKE, RequestRecord

LEVELS: Mapping[str, int] = MappingProxyType({"error": 500, "problem": 400, "request": 0})
"""Level -> the least status that is logged. A stream that broke is logged on every level."""

DEFAULT_LEVEL = "request"


class _Kv(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    ms: int = 0
    reads: int = 0
    writes: int = 0
    deletes: int = 0
    lists: int = 0
    read_bytes: int = 0
    written_bytes: int = 0


_NO_KV = _Kv()


class _Line(msgspec.Struct, omit_defaults=True, rename="camel"):
    message: str
    method: str
    route: str
    status: int
    ms: int
    caller: str
    request_id: str
    trace_id: str = ""
    code: str = ""
    ended: str = ""
    delivered: int = 0
    slowest_ms: int = 0
    kv: _Kv | msgspec.UnsetType = msgspec.UNSET


def is_logged(record: RequestRecord, level: str) -> bool:
    """Whether the log of this level has a line for `record`."""
    return record.status >= LEVELS[level] or record.ended == BROKE


def is_error(record: RequestRecord) -> bool:
    """Whether the service itself has failed."""
    return record.status >= 500 or record.ended == BROKE


def request_line(record: RequestRecord) -> str:
    """The line of `record`. Fields that are empty or 0 are left out, but for `status` and `ms`."""
    kv = _Kv(
        record.kv_ms,
        record.reads,
        record.writes,
        record.deletes,
        record.lists,
        record.read_bytes,
        record.written_bytes,
    )
    line = _Line(
        f"{record.method} {record.route} {record.status}",
        record.method,
        record.route,
        record.status,
        record.ms,
        record.caller,
        record.request_id,
        record.trace_id,
        record.code,
        record.ended,
        record.delivered,
        record.slowest_ms,
        msgspec.UNSET if kv == _NO_KV else kv,
    )
    return msgspec.json.encode(line).decode()
