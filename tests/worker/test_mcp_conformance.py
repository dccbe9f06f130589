"""The conformance runner of MCP against a tab: all that is offered passes, and nothing else is in the way.

What is not offered is what would need the Worker to ask the client something (sampling, elicitation, roots), or what a
tab does not have: prompts, completions, templates of resources, logging. The runner also reads resources that it knows
by name; a tab's have other names.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.http_api import Api
from tests.support.mcp_tab import Tab
from tests.support.node_tests import NODE
from tests.support.worker import LocalWorker
from tools.local_worker import ROOT

RUNNER = ROOT / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
NOT_OFFERED = {
    "2025-06-18": {
        "logging-set-level",
        "completion-complete",
        "tools-call-with-logging",
        "tools-call-sampling",
        "tools-call-elicitation",
        "resources-read-text",
        "resources-read-binary",
        "resources-templates-read",
        "resources-subscribe",
        "resources-unsubscribe",
        "prompts-list",
        "prompts-get-simple",
        "prompts-get-with-args",
        "prompts-get-embedded-resource",
        "prompts-get-with-image",
    },
}
NOT_OFFERED["2025-11-25"] = NOT_OFFERED["2025-06-18"] | {"elicitation-sep1034-defaults", "elicitation-sep1330-enums"}
NOT_OFFERED["2026-07-28"] = {
    "server-stateless",
    "completion-complete",
    "resources-read-text",
    "resources-read-binary",
    "resources-templates-read",
    "prompts-list",
    "prompts-get-simple",
    "prompts-get-with-args",
    "prompts-get-embedded-resource",
    "prompts-get-with-image",
    "caching",
    "input-required-result-basic-elicitation",
    "input-required-result-basic-sampling",
    "input-required-result-basic-list-roots",
    "input-required-result-request-state",
    "input-required-result-multiple-input-requests",
    "input-required-result-multi-round",
    "input-required-result-non-tool-request",
    "input-required-result-result-type",
    "input-required-result-tampered-state",
    "input-required-result-capability-check",
}
PARTLY = {
    # Tools that ask the client something, log, or are changed by a tool that the runner knows.
    "server-stateless": {
        "sep-2575-server-rejects-undeclared-capability",
        "sep-2575-missing-capability-http-400",
        "sep-2575-http-server-no-independent-requests-on-stream",
        "sep-2575-server-no-log-without-loglevel",
    },
    "caching": {"sep-2549-prompts-list-caching-hints"},
}
"""Checks that fail in scenarios of which the others pass."""

TASKS = (
    "tasks-lifecycle",
    "tasks-capability-negotiation",
    "tasks-wire-fields",
    "tasks-request-state-removal",
    "tasks-request-headers",
    "tasks-required-task-error",
)


@pytest.fixture(scope="module")
def url(worker: LocalWorker) -> Iterator[str]:
    """The URL of a tab's tools."""
    with Api(worker.url) as api:
        session = api.open_session()
        with Tab(session):
            yield f"{worker.url}/mcp/{session.code}"


def failures(url: str, folder: Path, *options: str) -> dict[str, set[str]]:
    """Scenario -> the checks that failed, of those that were run."""
    command = [NODE, RUNNER, "server", "--url", url, "-o", folder, *options]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False)
    found = {}
    for path in folder.rglob("checks.json"):
        # server-<scenario>-<when>
        name = re.sub(r"-\d{4}-\d{2}-\d{2}T.*", "", path.parent.name.removeprefix("server-"))
        checks = json.loads(path.read_text())
        found[name] = {check["id"] for check in checks if check["status"] == "FAILURE"}
    assert found, "nothing was run"
    return found


@pytest.mark.parametrize("version", NOT_OFFERED)
def test_all_that_is_offered_conforms(url: str, tmp_path: Path, version: str) -> None:
    found = failures(url, tmp_path, "--suite", "all", "--spec-version", version)
    assert {name for name, failed in found.items() if failed} == NOT_OFFERED[version]
    for name, failed in PARTLY.items():
        assert found.get(name, failed) == failed


@pytest.mark.parametrize("scenario", TASKS)
def test_tasks_conform(url: str, tmp_path: Path, scenario: str) -> None:
    assert failures(url, tmp_path, "--scenario", scenario) == {scenario: set()}
