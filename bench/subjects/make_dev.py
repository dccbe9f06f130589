"""`make dev` as a newcomer sees it: from a clone with nothing installed, and again when everything is there."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

from bench.measure.figures import Figure, Results
from bench.measure.progress import Progress
from bench.measure.stats import spread
from tools.local.harness.worker import free_port
from tools.local.local_worker import ROOT, Launch
from tools.local.running import LocalWorkerError, Running

PATIENCE_SECONDS = 900.0


class _Make(Launch):
    """`make dev` in a folder; `state` is that folder."""

    def command(self) -> list[str]:
        return ["make", "-C", str(self.state), "dev", f"PORT={self.port}"]


def measure_make_dev(section: str, progress: Progress, results: Results) -> None:
    """Seconds until the first reply, cold (everything is installed first) and warm."""
    with tempfile.TemporaryDirectory(prefix="waypost-bench-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        for name in ("cold", "warm"):
            progress.step(f"make dev, {name}")
            seconds = _until_it_answers(clone, Path(folder) / "log")
            results.figures.append(Figure(section, f"make dev, {name}", "s", spread([seconds]), "lower"))


def _until_it_answers(clone: Path, log: Path) -> float:
    started = time.perf_counter()
    with log.open("wb") as output:
        running = Running(_Make(free_port(), clone), output)
    try:
        if not running.wait_ready(PATIENCE_SECONDS):
            raise LocalWorkerError(f"make dev did not start:\n{log.read_text(errors='replace')[-2000:]}")
        return time.perf_counter() - started
    finally:
        running.stop()
