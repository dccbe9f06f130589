"""Sinks that keep what is recorded of requests."""

from __future__ import annotations

import json
from typing import Any


class ListSinks:
    """`lines` and `points`, decoded; `texts`: both as they were written. `errors`: the lines written as errors."""

    def __init__(self, *, has_points: bool = True, version: str = "upload-1") -> None:
        self.has_points = has_points
        self.version = version
        self.lines: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []
        self.points: list[dict[str, Any]] = []
        self.texts: list[str] = []
        self.on_platform: list[bool] = []

    def write_line(self, line: str, *, is_error: bool, is_on_platform: bool) -> None:
        self.texts.append(line)
        self.lines.append(json.loads(line))
        self.on_platform.append(is_on_platform)
        if is_error:
            self.errors.append(self.lines[-1])

    def write_point(self, point: str) -> None:
        self.texts.append(point)
        self.points.append(json.loads(point))
