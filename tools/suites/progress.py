"""How far a pytest run is: a plugin writes it into a file, line by line, and `Progress` reads it from there.

tests/conftest.py registers the plugin where the environment variable `PROGRESS_FILE` names the file.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PROGRESS_FILE = "WAYPOST_PROGRESS_FILE"


class ProgressPlugin:
    """Writes one JSON object a line: the number of tests, then each test's outcome as soon as it is known.

    With pytest-xdist it belongs into the process that distributes the tests, which sees the reports of all others.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        # The process that distributes collects nothing itself; xdist's own hook tells it the number.
        if session.items:
            self._write(total=len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        self._write(total=len(ids))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._write(outcome="failed", test=report.nodeid, reason=_reason(report.longrepr))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._write(outcome="failed", test=report.nodeid, reason=_reason(report.longrepr))
        elif report.skipped and not hasattr(report, "wasxfail"):
            self._write(outcome="skipped", reason=_reason(report.longrepr).removeprefix("Skipped: "))
        elif report.when == "call":
            self._write(outcome="passed")

    def _write(self, **line: object) -> None:
        self._file.write(json.dumps(line) + "\n")


def _reason(longrepr: Any) -> str:
    """Return the first line of what went wrong; pytest has it in one of three forms."""
    if isinstance(longrepr, tuple):
        text = longrepr[2]
    elif hasattr(longrepr, "reprcrash") and longrepr.reprcrash is not None:
        text = longrepr.reprcrash.message
    else:
        text = (str(longrepr).strip().splitlines() or [""])[-1]
    return str(text).strip().partition("\n")[0]


@dataclass(frozen=True)
class Failure:
    """A test that failed: its node id, and the first line of the reason."""

    test: str
    reason: str


@dataclass
class Progress:
    """What is known of a run so far. `total` is None until the tests are collected."""

    path: Path
    total: int | None = None
    counts: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    _offset: int = 0

    @property
    def done(self) -> int:
        """The number of tests whose outcome is known."""
        return self.counts.total()

    def read(self) -> list[Failure]:
        """Read what was written since the last call; return the failures in it."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._offset)
            # A line that is not whole yet is read the next time.
            text = file.read().rpartition(b"\n")[0]
        self._offset += len(text) + 1 if text else 0
        failures = []
        for line in map(json.loads, text.splitlines()):
            if "total" in line:
                self.total = line["total"]
                continue
            self.counts[line["outcome"]] += 1
            if line["outcome"] == "failed":
                failures.append(Failure(line["test"], line["reason"]))
            elif line["outcome"] == "skipped":
                self.skipped[line["reason"]] += 1
        return failures
