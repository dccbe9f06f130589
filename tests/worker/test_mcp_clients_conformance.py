"""The official conformance runner of MCP against the Worker, with a tab that offers the tools it expects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.worker.mcp_clients.conformance import (
    BASELINE,
    RUNNER,
    STABLE_RUNNER,
    Conformance,
    ConformanceRun,
    baseline,
)
from tests.worker.mcp_clients.tab import Tab
from tools.local.harness.worker import LocalWorker

PATIENCE_SECONDS = 600.0

STABLE = "the latest release"

SELECTIONS = {
    # For the oldest revision, the runner has no list of what is required.
    "2025-06-18": ("--suite", "all", "--spec-version", "2025-06-18"),
    "2025-11-25": ("--requirements", "2025-11-25"),
    "2026-07-28": ("--requirements", "2026-07-28"),
    # Its raw requests name 2025-03-26, whatever was agreed on.
    STABLE: ("--suite", "all"),
}

UNTESTED = {"tasks-status-notifications"}
"""What the runner itself skips, whatever the server does."""


@pytest.fixture(scope="module")
def runs(worker: LocalWorker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Conformance]]:
    """One run for each revision, side by side: most of their time they wait."""
    with ExitStack() as stack:
        begun = {}
        for revision, selection in SELECTIONS.items():
            tab = stack.enter_context(Tab(worker.url))
            runner = STABLE_RUNNER if revision == STABLE else RUNNER
            folder = tmp_path_factory.mktemp("run")
            begun[revision] = ConformanceRun(tab.mcp_url, folder, *selection, runner=runner)
            stack.callback(begun[revision].stop)
        yield {revision: run.end_steadily(PATIENCE_SECONDS, revision) for revision, run in begun.items()}


@pytest.mark.parametrize("revision", SELECTIONS)
def test_nothing_fails_but_what_the_baseline_names(runs: dict[str, Conformance], revision: str) -> None:
    assert runs[revision].failed == [], runs[revision].output


@pytest.mark.parametrize("revision", SELECTIONS)
def test_every_other_scenario_has_passed_a_check_of_its_own(runs: dict[str, Conformance], revision: str) -> None:
    run = runs[revision]
    applicable = run.checks.keys() - baseline().keys() - UNTESTED
    assert [scenario for scenario in applicable if not run.passed(scenario)] == []
    assert {"tools-list", "tools-call-simple-text", "tools-call-error", "tools-call-with-progress"} <= applicable


def test_the_baseline_names_only_what_is_run_and_gives_each_a_reason(runs: dict[str, Conformance]) -> None:
    known = {scenario for run in runs.values() for scenario in run.checks}
    named = {name.partition(":")[0] for name in baseline()}
    assert named | UNTESTED <= known
    assert len(baseline()) == sum(line.startswith("  - ") for line in BASELINE.read_text().splitlines())
