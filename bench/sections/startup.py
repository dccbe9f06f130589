"""What a start costs, beside a Worker that imports the SDK alone; and how much is uploaded.

Production starts a Worker from a snapshot in which it is imported already; `make dev` imports it at every start.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.measure.figures import Figure, Goal, Results, Skip
from bench.measure.mode import LONG, QUICK, Mode
from bench.measure.processes import usage
from bench.measure.progress import Progress
from bench.measure.rounds import Sample, Samples, compared, interleave, values
from bench.measure.stats import spread
from bench.subjects.make_dev import measure_make_dev
from bench.subjects.snapshots import snapshot_of
from bench.subjects.workerd import Workerd, python_reference, waypost
from tools.local.harness.project import copy_project
from tools.local.local_worker import ROOT, environment

SECTION = "start-up"
OURS, SDK = "Waypost", "the SDK alone"
MAX_ROUNDS = 5
IMPORT_GOAL = Goal("value", 60, "lower")
UPLOAD_GOAL = Goal("value", 600, "lower")
_UPLOAD = re.compile(r"Total Upload: ([\d.]+) KiB / gzip: ([\d.]+) KiB")


def measure(mode: Mode, progress: Progress, results: Results) -> None:
    """CPU until the first reply, of both Workers; the difference is what our modules take. Then the upload's size."""
    ours, sdk = waypost(), python_reference("sdk_only")
    rounds = min(mode.rounds, MAX_ROUNDS)
    with snapshot_of(ours) as our_snapshot, snapshot_of(sdk) as its_snapshot:
        turns = {OURS: _start(our_snapshot.start), SDK: _start(its_snapshot.start)}
        samples = interleave(turns, rounds, mode.section_seconds / 2, progress)
    _report(results, "as in production, from a snapshot", samples, IMPORT_GOAL)
    if mode is not QUICK:
        turns = {OURS: _start(lambda: Workerd(ours)), SDK: _start(lambda: Workerd(sdk))}
        _report(results, "as in make dev", interleave(turns, rounds, mode.section_seconds / 2, progress), None)
    progress.step("upload")
    results.figures.append(
        Figure(SECTION, "upload, gzipped", "KiB", spread([upload_kibibytes()]), "lower", goal=UPLOAD_GOAL)
    )
    if mode is LONG:
        measure_make_dev(SECTION, progress, results)
    else:
        results.skipped.append(Skip(SECTION, "make dev, cold and warm", "measured with --long only"))


def _report(results: Results, how: str, samples: Samples, goal: Goal | None) -> None:
    name = f"CPU to the first reply, {how}"
    results.figures.append(compared(SECTION, name, "ms", "lower", samples, OURS, SDK, None))
    over = [mine - its for mine, its in zip(values(samples[OURS]), values(samples[SDK]), strict=True)]
    name = f"CPU over the SDK alone, {how}"
    results.figures.append(Figure(SECTION, name, "ms", spread(over), "lower", goal=goal))


def _start(started: Callable[[], Workerd]) -> Callable[[], Sample]:
    """A turn that starts the Worker; in milliseconds of CPU until it has answered."""

    def run() -> Sample:
        with started() as workerd:
            # The first reply was read before this is reached; what is still going on belongs to it.
            time.sleep(0.1)
            return Sample(usage(workerd.group, "workerd").cpu_seconds * 1000)

    return run


def upload_kibibytes() -> float:
    """What wrangler would upload, gzipped."""
    with tempfile.TemporaryDirectory(prefix="waypost-bench-") as folder:
        project = copy_project(Path(folder) / "project")
        line = [str(ROOT / "node_modules" / ".bin" / "wrangler"), "deploy", "--dry-run", "--outdir", f"{folder}/out"]
        done = subprocess.run(line, cwd=project, env=environment(), capture_output=True, text=True, check=True)
    return gzipped(done.stdout)


def gzipped(output: str) -> float:
    """The gzipped size that wrangler tells, in KiB."""
    found = _UPLOAD.search(output)
    if not found:
        raise ValueError(f"wrangler tells no size: {output[-500:]}")
    return float(found[2])
