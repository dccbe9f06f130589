"""Where the record of a request goes once it is complete."""

from typing import Protocol

from waypost_worker.telemetry.data_point import data_point
from waypost_worker.telemetry.metrics import Metrics
from waypost_worker.telemetry.record import RequestRecord
from waypost_worker.telemetry.request_log import is_error, is_logged, request_line


class Sinks(Protocol):
    """What the platform takes. `has_points`: whether a dataset of Analytics Engine is bound. `version`: the id of the
    Worker's version, or empty."""

    has_points: bool
    version: str

    def write_line(self, line: str, *, is_error: bool, is_on_platform: bool) -> None:
        """Writes a line of the log, which is a JSON object. `is_on_platform`: for Workers Logs, which indexes objects
        and not texts; otherwise for a person, or a program that reads lines."""
        ...

    def write_point(self, point: str) -> None:
        """Writes a data point, which is a JSON object."""
        ...


class NoSinks:
    """Where nothing is observed."""

    has_points = False
    version = ""

    def write_line(self, line: str, *, is_error: bool, is_on_platform: bool) -> None:
        """Writes nothing."""

    def write_point(self, point: str) -> None:
        """Writes nothing."""


class Observer:
    """Passes each record to the log, if it is of `level`, to the dataset, and to `metrics` if these can be read."""

    def __init__(self, sinks: Sinks, level: str, metrics: Metrics | None) -> None:
        self._sinks = sinks
        self._level = level
        self._metrics = metrics

    def observe(self, record: RequestRecord) -> None:
        """Passes on `record`, which is complete."""
        sinks = self._sinks
        if is_logged(record, self._level):
            sinks.write_line(request_line(record), is_error=is_error(record), is_on_platform=record.has_ray)
        if sinks.has_points:
            sinks.write_point(data_point(record, sinks.version))
        if self._metrics is not None:
            self._metrics.count(record)
