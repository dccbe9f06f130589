"""Where records go: to the log of a level, to a dataset that is bound, and to the metrics where they can be read."""

from tests.support.sinks import ListSinks
from waypost_worker.telemetry.metrics import Metrics
from waypost_worker.telemetry.observer import NoSinks, Observer
from waypost_worker.telemetry.record import RequestRecord


def record(status: int = 200, *, has_ray: bool = False) -> RequestRecord:
    return RequestRecord("GET", "id", 0, has_ray, "/health", status)


def test_a_record_of_the_level_is_a_line_and_a_failure_an_error():
    sinks = ListSinks()
    observer = Observer(sinks, "problem", None)
    for status in (200, 404, 500):
        observer.observe(record(status))
    assert [line["status"] for line in sinks.lines] == [404, 500]
    assert [line["status"] for line in sinks.errors] == [500]


def test_only_what_cloudflare_has_named_is_written_for_its_index():
    sinks = ListSinks()
    observer = Observer(sinks, "request", None)
    observer.observe(record(has_ray=True))
    observer.observe(record())
    assert sinks.on_platform == [True, False]


def test_every_record_is_a_point_if_a_dataset_is_bound():
    for has_points in (True, False):
        sinks = ListSinks(has_points=has_points)
        Observer(sinks, "error", None).observe(record())
        assert len(sinks.points) == has_points


def test_records_are_counted_only_if_the_metrics_can_be_read():
    metrics = Metrics(0)
    Observer(NoSinks(), "error", metrics).observe(record())
    assert metrics.routes["GET", "/health"].requests == {2: 1}
    Observer(NoSinks(), "error", None).observe(record())
    assert metrics.routes["GET", "/health"].requests == {2: 1}


def test_without_sinks_nothing_is_written():
    sinks = NoSinks()
    sinks.write_line("{}", is_error=True, is_on_platform=True)
    sinks.write_point("{}")
    assert not sinks.has_points
