"""The metrics of an isolate in Prometheus' text format 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format. Each sample has the label `isolate`: a
scrape reaches one isolate of several, and counts of two must not be taken for one that goes up and down.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from waypost_worker.telemetry.metrics import DIRECTIONS, KINDS, Histogram, Metrics, RouteMetrics

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

SEEN = "As far as this isolate has seen, since it began."
"""Ends each HELP text."""

Labels = tuple[tuple[str, str], ...]
Sample = tuple[str, Labels, float]
"""What follows the name of its family, its labels, and its value."""


class _Family(NamedTuple):
    name: str
    kind: str
    text: str
    samples: list[Sample]


def encode_metrics(
    metrics: Metrics, isolate: str, version: str, open_streams: int, used_up: Mapping[str, bool]
) -> bytes:
    """The whole page. `isolate`: its name. `used_up`: whether the operations of each kind are used up today."""
    where = (("isolate", isolate),)
    families = [
        _Family("waypost_build_info", "gauge", "1, with the version of Waypost.", [("", (("version", version),), 1)]),
        _Family(
            "waypost_isolate_start_time_seconds",
            "gauge",
            "When this isolate began, in Unix time. Its counts began then.",
            [("", (), metrics.started_ms / 1000)],
        ),
        _Family("waypost_open_streams", "gauge", "Streams that are open in this isolate.", [("", (), open_streams)]),
        _Family(
            "waypost_kv_daily_limit_used_up",
            "gauge",
            "1 if the account's KV operations of this kind are used up today (free plan).",
            [("", (("kind", kind),), int(is_used_up)) for kind, is_used_up in used_up.items()],
        ),
        *_of_routes(metrics.routes),
        _Family(
            "waypost_requests_by_caller_total",
            "counter",
            f"Requests by the kind of caller. {SEEN}",
            [("", (("caller", caller),), count) for caller, count in sorted(metrics.callers.items())],
        ),
        _Family(
            "waypost_problems_total",
            "counter",
            f"Replies with a problem, by its code. {SEEN}",
            [("", (("code", code),), count) for code, count in sorted(metrics.problems.items())],
        ),
        _Family(
            "waypost_delivery_seconds",
            "histogram",
            f"From a message's acceptance to its delivery, by the kind of caller that receives it. {SEEN}",
            [
                sample
                for caller, delays in sorted(metrics.deliveries.items())
                for sample in _buckets((("to", caller),), delays)
            ],
        ),
        _Family(
            "waypost_kv_operations_total",
            "counter",
            f"KV operations by kind, as they are billed: each key of a bulk read is a read. {SEEN}",
            [("", (("kind", kind),), count) for kind, count in zip(KINDS, metrics.operations, strict=True)],
        ),
        _Family(
            "waypost_kv_bytes_total",
            "counter",
            f"Bytes of values that were read from KV, and of values and metadata that were written. {SEEN}",
            [("", (("direction", name),), count) for name, count in zip(DIRECTIONS, metrics.bytes, strict=True)],
        ),
        _Family(
            "waypost_kv_seconds_total",
            "counter",
            f"Time that requests have waited for KV. {SEEN}",
            [("", (), metrics.kv_ms / 1000)],
        ),
    ]
    return "".join(line for family in families for line in _lines(family, where)).encode()


def _lines(family: _Family, where: Labels) -> Iterator[str]:
    yield f"# HELP {family.name} {family.text}\n# TYPE {family.name} {family.kind}\n"
    for suffix, labels, value in family.samples:
        # No value of a label needs an escape: all of them are names of this service.
        pairs = ",".join(f'{name}="{text}"' for name, text in labels + where)
        yield f"{family.name}{suffix}{{{pairs}}} {value}\n"


def _of_routes(routes: Mapping[tuple[str, str], RouteMetrics]) -> Iterator[_Family]:
    named = [((("method", method), ("route", route)), counts) for (method, route), counts in sorted(routes.items())]
    yield _Family(
        "waypost_requests_total",
        "counter",
        f"Requests by route and class of status. {SEEN}",
        [
            ("", (*labels, ("status", f"{digit}xx")), count)
            for labels, counts in named
            for digit, count in sorted(counts.requests.items())
        ],
    )
    yield _Family(
        "waypost_request_seconds",
        "histogram",
        f"From a request's arrival to its response; the time of code is not in it. Streams are counted apart. {SEEN}",
        [
            sample
            for labels, counts in named
            if any(counts.seconds.counts)
            for sample in _buckets(labels, counts.seconds)
        ],
    )
    yield _Family(
        "waypost_streams_total",
        "counter",
        f"Streams that have ended: by themselves, because the client left, or because of a fault. {SEEN}",
        [
            ("", (*labels, ("ended", how)), count)
            for labels, counts in named
            for how, count in sorted(counts.ended.items())
        ],
    )
    yield _Family(
        "waypost_stream_seconds",
        "histogram",
        f"How long streams were open that have ended. {SEEN}",
        [sample for labels, counts in named if counts.ended for sample in _buckets(labels, counts.stream_seconds)],
    )


def _buckets(labels: Labels, histogram: Histogram) -> Iterator[Sample]:
    total = 0
    bounds = [*map(str, histogram.bounds), "+Inf"]
    for bound, count in zip(bounds, histogram.counts, strict=True):
        total += count
        yield "_bucket", (*labels, ("le", bound)), total
    yield "_sum", labels, histogram.sum
    yield "_count", labels, total
