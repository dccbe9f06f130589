"""Runs the official conformance runner for servers against a tab, and reads what it found."""

from __future__ import annotations

import json
import re
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.node_tests import NODE
from tools.local.local_worker import ROOT

RUNNER = ROOT / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
STABLE_RUNNER = ROOT / "node_modules" / "mcp-conformance-0.1" / "dist" / "index.js"
"""The runner's `latest` release; `RUNNER` is the alpha, which knows 2026-07-28."""

BASELINE = Path(__file__).parent / "baseline.yml"
SCHEMA_CHECK = "wire-schema-valid"
"""The runner's own check that every message is one of the protocol: it says nothing about the scenario."""

MAX_REPEATS = 5
"""What is wrong, and not merely late, fails each time."""

_FOLDER = re.compile(r"server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z")
_FAILED = re.compile(r"✗ (\S+)")


@dataclass
class Conformance:
    """What a run has found: the checks of each scenario, and the scenarios that failed although none expects it."""

    output: str
    failed: list[str]
    checks: dict[str, list[dict[str, Any]]]

    def passed(self, scenario: str) -> list[str]:
        """The ids of the checks of `scenario` that passed, without that of the schema."""
        found = self.checks[scenario]
        return [each["id"] for each in found if each["status"] == "SUCCESS" and each["id"] != SCHEMA_CHECK]


class ConformanceRun:
    """A run that has begun: `url` is the server's, `selection` the options that say what is run."""

    def __init__(self, url: str, folder: Path, *selection: str, runner: Path = RUNNER) -> None:
        self._folder = folder
        self._url = url
        self._runner = runner
        command = [NODE, runner, "server", "--url", url, *selection, "--expected-failures", BASELINE, "-o", folder]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def end(self, seconds: float) -> Conformance:
        """What it found, as soon as it has ended."""
        try:
            output, _ = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            raise AssertionError(f"the runner took more than {seconds} s") from None
        checks: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for path in self._folder.glob("*/checks.json"):
            name = _FOLDER.fullmatch(path.parent.name)
            assert name is not None, path
            checks[name[1]] += json.loads(path.read_text())
        _, _, unexpected = output.partition("Unexpected failures (not in baseline):")
        failed = [scenario.partition(":")[0] for scenario in _FAILED.findall(unexpected)]
        assert self._process.returncode == 0 or failed, output
        return Conformance(output, failed, dict(checks))

    def stop(self) -> None:
        """End it, if it still runs."""
        self._process.kill()
        self._process.communicate()

    def end_steadily(self, seconds: float, revision: str) -> Conformance:
        """The same, but what failed is run again by itself, until it passes or has failed `MAX_REPEATS` times more.

        Some checks wait for half a second and no longer: that is little on a machine that runs everything concurrently.
        """
        found = self.end(seconds)
        for scenario in dict.fromkeys(found.failed):
            selection = ["--scenario", scenario]
            if self._runner == RUNNER:
                selection += ["--spec-version", revision, "--force"]
            for number in range(1, MAX_REPEATS + 1):
                folder = self._folder / f"{scenario}-again-{number}"
                again = ConformanceRun(self._url, folder, *selection, runner=self._runner).end(seconds)
                found.output += again.output
                found.checks |= again.checks
                if not again.failed:
                    found.failed = [name for name in found.failed if name != scenario]
                    break
        return found


def baseline() -> dict[str, str]:
    """What may fail, a scenario or `scenario:check`, and the reason that stands beside it."""
    lines = BASELINE.read_text().splitlines()
    return dict(re.fullmatch(r"  - (\S+) # (.+)", line).groups() for line in lines if line.startswith("  - "))  # type: ignore[union-attr]
