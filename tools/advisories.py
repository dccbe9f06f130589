"""Whether an advisory is known for a locked package of Python or npm: `make advisories`.

`pip-audit` and `npm audit` exit with 1 both where they found something and where they could not ask. Their report in
JSON tells these apart: it is printed only after the service has answered. Without a report nothing was checked. This is
said, and is a failure only with `--online`, since everything else works without a network too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.local.local_worker import ROOT, search_path

OSV = "https://api.osv.dev/v1/query"
"""The database that is asked about packages of Python, PyPI's own advisories included."""

REQUIREMENTS = ("requirements-worker.txt", "requirements-dev.txt")

ACCEPTED: dict[str, str] = {}
"""Advisories that do not apply here, by their id or URL, with the reason."""


@dataclass(frozen=True)
class Report:
    """What one service said about the packages of one kind: a sentence for each advisory that was found.

    `unchecked` says why nothing is known, where the service could not be asked.
    """

    kind: str
    found: tuple[str, ...] = ()
    unchecked: str | None = None


def read_pip_audit(output: str, errors: str, accepted: Collection[str] = ACCEPTED) -> Report:
    """Return what pip-audit says in its output and standard error."""
    report = _document(output)
    if "dependencies" not in report:
        return Report("Python", unchecked=_last_line(errors))
    found = [
        f"{package['name']} {package['version']}: {vulnerability['id']}, {_fixed_in(vulnerability['fix_versions'])}"
        for package in report["dependencies"]
        for vulnerability in package.get("vulns", ())
        if vulnerability["id"] not in accepted
    ]
    skipped = [
        f"{package['name']}: {package['skip_reason']}" for package in report["dependencies"] if "skip_reason" in package
    ]
    return Report("Python", tuple(found), f"not all were found: {'; '.join(skipped)}" if skipped else None)


def read_npm_audit(output: str, errors: str, accepted: Collection[str] = ACCEPTED) -> Report:
    """Return what npm says in its output and standard error."""
    report = _document(output)
    if "auditReportVersion" not in report:
        return Report("npm", unchecked=str(report.get("message") or _last_line(errors)))
    # A package also counts as vulnerable for what it depends on: its `via` then names that package only.
    found = {
        "{name} {range}: {title} ({severity}), {url}".format_map(advisory)
        for package in report["vulnerabilities"].values()
        for advisory in package["via"]
        if isinstance(advisory, dict) and advisory["url"] not in accepted
    }
    return Report("npm", tuple(sorted(found)))


def _document(output: str) -> dict[str, Any]:
    try:
        document = json.loads(output)
    except json.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _last_line(errors: str) -> str:
    return (errors.strip().splitlines() or ["it said nothing"])[-1]


def _fixed_in(versions: Sequence[str]) -> str:
    return f"fixed in {', '.join(versions)}" if versions else "not fixed yet"


def ask(folder: Path = ROOT, osv: str = OSV, environment: Mapping[str, str] = os.environ) -> list[Report]:
    """Ask both services about the locked packages of `folder`. npm's registry is the one that npm is set up with."""
    environment = {**environment, "PATH": search_path(), "NO_COLOR": "1"}
    python = _run(
        folder,
        environment,
        ROOT / ".venv" / "bin" / "pip-audit",
        # The locks name everything, so nothing has to be resolved or downloaded.
        *("--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json"),
        *("--vulnerability-service", "osv", "--osv-url", osv),
        *(word for name in REQUIREMENTS for word in ("--requirement", name)),
    )
    # npm's own retries take minutes before they say that there is no network.
    npm = _run(
        folder,
        environment,
        "npm",
        "audit",
        "--json",
        "--package-lock-only",
        "--fetch-retries=1",
        "--fetch-timeout=30000",
    )
    return [read_pip_audit(*python), read_npm_audit(*npm)]


def _run(folder: Path, environment: Mapping[str, str], *command: str | Path) -> tuple[str, str]:
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    return done.stdout, done.stderr


def status(reports: Sequence[Report], *, online: bool) -> int:
    """Print what is known and return the exit status: 1 for an advisory, and with `online` for what was not checked."""
    for report in reports:
        for sentence in report.found:
            print(f"{report.kind}: {sentence}", file=sys.stderr)
        if report.unchecked is not None:
            print(f"{report.kind}: not checked, {report.unchecked}", file=sys.stderr)
        elif not report.found:
            print(f"{report.kind}: no advisory is known for the locked packages.")
    unchecked = any(report.unchecked is not None for report in reports)
    if unchecked and not online:
        print("What was not checked counts as good here. With a network, run it again with ONLINE=1.", file=sys.stderr)
    return 1 if any(report.found for report in reports) or (unchecked and online) else 0


def main() -> int:
    """Ask, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog="make advisories", description=__doc__)
    parser.add_argument("--online", action="store_true", help="fail where a service could not be asked")
    return status(ask(), online=parser.parse_args().online)


if __name__ == "__main__":
    sys.exit(main())
