"""The counts of an isolate, and the page that Prometheus reads of them, parsed by Prometheus' own client."""

from prometheus_client.parser import text_string_to_metric_families

from waypost_worker.telemetry.metrics import DELIVERY_SECONDS, Histogram, Metrics
from waypost_worker.telemetry.prometheus import encode_metrics
from waypost_worker.telemetry.record import RequestRecord

START_MS = 1_767_225_600_000


def record(status: int = 200, route: str = "/api/poll", **fields: object) -> RequestRecord:
    made = RequestRecord("GET", "id", 0, True, route, status)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def page(metrics: Metrics) -> str:
    return encode_metrics(metrics, "ab12cd34", "0.1.0", 3, {"read": False, "list": True}).decode()


def samples(metrics: Metrics) -> dict[str, dict[tuple[str, ...], float]]:
    """Name of a sample -> its labels' values without the isolate's -> its value."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(page(metrics)):
        for sample in family.samples:
            assert sample.labels.pop("isolate") == "ab12cd34"
            values = found.setdefault(sample.name, {})
            key = tuple(sample.labels.values())
            assert key not in values
            values[key] = sample.value
    return found


def test_a_value_counts_in_the_bucket_that_it_just_fits():
    histogram = Histogram((1.0, 2.0))
    for value in (0, 1.0, 1.1, 2.0, 9.0):
        histogram.observe(value)
    assert (histogram.counts, histogram.sum) == ([2, 2, 1], 13.1)


def test_requests_are_counted_by_route_and_class_of_status():
    metrics = Metrics(START_MS)
    for status in (200, 204, 404, 503):
        metrics.count(record(status))
    metrics.count(record(200, "/health", caller="guest", code=""))
    found = samples(metrics)
    assert found["waypost_requests_total"] == {
        ("GET", "/api/poll", "2xx"): 2,
        ("GET", "/api/poll", "4xx"): 1,
        ("GET", "/api/poll", "5xx"): 1,
        ("GET", "/health", "2xx"): 1,
    }
    assert found["waypost_requests_by_caller_total"] == {("anonymous",): 4, ("guest",): 1}


def test_problems_are_counted_by_their_code():
    metrics = Metrics(START_MS)
    metrics.count(record(429, code="rate_limited"))
    metrics.count(record(200, code="tab_away"))
    assert samples(metrics)["waypost_problems_total"] == {("rate_limited",): 1, ("tab_away",): 1}


def test_times_are_in_cumulative_buckets():
    metrics = Metrics(START_MS)
    for ms in (4, 20, 99, 61_000):
        metrics.count(record(ms=ms))
    found = samples(metrics)
    buckets = {key[-1]: value for key, value in found["waypost_request_seconds_bucket"].items()}
    assert (buckets["0.005"], buckets["0.025"], buckets["0.1"], buckets["60.0"], buckets["+Inf"]) == (1, 2, 3, 3, 4)
    assert found["waypost_request_seconds_count"] == {("GET", "/api/poll"): 4}
    assert found["waypost_request_seconds_sum"] == {("GET", "/api/poll"): 61.123}


def test_streams_are_counted_apart():
    metrics = Metrics(START_MS)
    metrics.count(record(route="/api/stream", ms=300_000, ended="left"))
    metrics.count(record(route="/api/stream", ms=1_000, ended="ended"))
    found = samples(metrics)
    assert found["waypost_streams_total"] == {
        ("GET", "/api/stream", "ended"): 1,
        ("GET", "/api/stream", "left"): 1,
    }
    assert found["waypost_stream_seconds_sum"] == {("GET", "/api/stream"): 301}
    assert "waypost_request_seconds_count" not in found


def test_what_kv_does_is_counted_by_kind():
    metrics = Metrics(START_MS)
    for _ in range(2):
        metrics.count(record(reads=1, writes=2, deletes=3, lists=4, read_bytes=5, written_bytes=6, kv_ms=500))
    found = samples(metrics)
    assert found["waypost_kv_operations_total"] == {("read",): 2, ("write",): 4, ("delete",): 6, ("list",): 8}
    assert found["waypost_kv_bytes_total"] == {("read",): 10, ("written",): 12}
    assert found["waypost_kv_seconds_total"] == {(): 1}


def test_deliveries_are_counted_by_what_receives_them_and_none_is_negative():
    metrics = Metrics(START_MS)
    metrics.deliver("host", 40)
    metrics.deliver("host", -7)
    metrics.deliver("guest", 130_000)
    found = samples(metrics)
    assert found["waypost_delivery_seconds_count"] == {("host",): 2, ("guest",): 1}
    assert found["waypost_delivery_seconds_sum"] == {("host",): 0.04, ("guest",): 130}
    assert found["waypost_delivery_seconds_bucket"]["guest", str(DELIVERY_SECONDS[-1])] == 0


def test_the_isolate_says_when_it_began_and_what_it_holds():
    found = samples(Metrics(START_MS))
    assert found["waypost_isolate_start_time_seconds"] == {(): START_MS / 1000}
    assert found["waypost_open_streams"] == {(): 3}
    assert found["waypost_build_info"] == {("0.1.0",): 1}
    assert found["waypost_kv_daily_limit_used_up"] == {("read",): 0, ("list",): 1}


def test_every_family_has_a_help_and_a_type_and_counters_say_whose_they_are():
    families = list(text_string_to_metric_families(page(Metrics(START_MS))))
    assert {family.type for family in families} == {"gauge", "counter", "histogram"}
    assert all(family.documentation for family in families)
    assert all(
        "As far as this isolate has seen" in family.documentation for family in families if family.type != "gauge"
    )
