"""What a run shows: a line of progress, failures as they happen, and a summary at the end."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO, TypedDict

from tools.suites.plan import Plan, Suite
from tools.suites.progress import Failure
from tools.suites.run import SuiteRun, repeat_suite, repeat_test

SECONDS_BETWEEN_LINES = 30.0
"""Where the output is no terminal."""

LAST_LINES = 25
"""Of a failed suite's output: there the tools that are run here say what has failed."""


class Result(TypedDict):
    """What is kept of a suite that has ended, for the summary of a later run."""

    line: str
    passed: int
    failed: int


class Report:
    """Writes to `output`; on a terminal the line of progress is replaced in place."""

    def __init__(self, plan: Plan, output: TextIO) -> None:
        self._plan = plan
        self._output = output
        self._is_terminal = output.isatty()
        self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES

    def say(self, text: str) -> None:
        """Write lines that stay."""
        # On a terminal they take the place of the line of progress, which is written again below them.
        self._output.write(f"\r\x1b[K{text}\n" if self._is_terminal else f"{text}\n")
        self._output.flush()

    def show_progress(self, runs: Sequence[SuiteRun]) -> None:
        """Write each suite's number of tests done and in all: always on a terminal, else twice a minute."""
        if self._is_terminal:
            width = shutil.get_terminal_size().columns - 1
            self._output.write(f"\r{progress_line(self._plan.suites, runs)[:width]}\x1b[K")
            self._output.flush()
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES
            self.say(progress_line(self._plan.suites, runs))

    def say_failure(self, failure: Failure) -> None:
        """Write a test that failed, why, and the command that repeats it alone."""
        self.say(f"FAILED {failure.test}: {failure.reason}\n  repeat: {repeat_test(failure)}")

    def say_end(self, run: SuiteRun) -> None:
        """Write that a suite has ended where no test has said so already: it failed without one, or it warns."""
        if run.suite.only_warns:
            self.say(f"{run.suite.name}:\n{run.last_lines(LAST_LINES)}")
        elif run.has_failed and not run.progress.counts["failed"]:
            self.say(f"FAILED {run.suite.name}\n  repeat: {repeat_suite(run.suite)}")

    def say_summary(self, runs: Sequence[SuiteRun], earlier: Sequence[Result]) -> None:
        """Write the end of the output of what failed, what was skipped, a line for each suite, and the total."""
        results = [*earlier, *map(result_of, runs)]
        for run in runs:
            if run.has_failed:
                self.say(f"\n{run.suite.name} ended so (all of it is in {run.log}):\n{run.last_lines(LAST_LINES)}")
        self.say("")
        for run in runs:
            for reason, number in sorted(run.progress.skipped.items()):
                self.say(f"skipped in {run.suite.name}: {number} × {reason}")
        for result in results:
            self.say(result["line"])
        passed, failed = (sum(result[key] for result in results) for key in ("passed", "failed"))
        self.say(f"{passed} passed, {failed} failed")


def progress_line(suites: Sequence[Suite], runs: Sequence[SuiteRun]) -> str:
    """Return how far each suite is, in the order of the plan."""
    started = {run.suite.name: run for run in runs}
    return ", ".join(f"{suite.name} {_state(started.get(suite.name))}" for suite in suites)


def _state(run: SuiteRun | None) -> str:
    if run is None:
        return "waits"
    failed = f" ({run.failed} failed)" if run.failed else ""
    if run.status is not None:
        return f"done{failed}"
    if run.progress.total is None:
        return "runs"
    return f"{run.progress.done}/{run.progress.total}{failed}"


def result_of(run: SuiteRun) -> Result:
    """Return the suite's line in the summary, and its share of the total."""
    word = "FAILED" if run.has_failed else "passed" if run.status == 0 else "not run"
    counts = [
        f"{run.progress.counts[key]} {key}" for key in ("passed", "failed", "skipped") if run.progress.counts[key]
    ]
    line = f"{run.suite.name:<10} {word} after {run.seconds:3.0f} s: {run.suite.contents}"
    return {"line": f"{line} ({', '.join(counts)})" if counts else line, "passed": run.passed, "failed": run.failed}


def save_results(path: Path, runs: Sequence[SuiteRun]) -> None:
    """Keep the results for the summary of a later run."""
    path.write_text(json.dumps([result_of(run) for run in runs]))


def load_results(path: Path) -> list[Result]:
    """Return the results that `save_results` kept."""
    results: list[Result] = json.loads(path.read_text())
    return results
