"""How fast the proof runs: simulated worlds a second, beside a fixed piece of work of the same interpreter."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from itertools import count

from bench.measure.figures import Results
from bench.measure.mode import Mode
from bench.measure.progress import Progress
from bench.measure.rounds import Sample, compared, interleave
from simulation.scenario import simulate

SECTION = "simulator"
SUBJECT, YARDSTICK = "simulated worlds", "writing and reading 1,000 JSON documents"
MAX_ROUNDS = 5
DOCUMENT = {"id": "d-1", "args": {"city": "Zürich", "days": list(range(20))}, "nested": [{"a": None}] * 5}


def measure(mode: Mode, progress: Progress, results: Results) -> None:
    """Worlds a second, in one process."""
    seeds = count()
    rounds = min(mode.rounds, MAX_ROUNDS)
    turns = {
        SUBJECT: _timed(lambda: simulate(next(seeds)), max(5, mode.simulations // rounds)),
        YARDSTICK: _timed(_documents, 20),
    }
    samples = interleave(turns, rounds, mode.section_seconds, progress, warm_up=False)
    results.figures.append(
        compared(SECTION, f"{SUBJECT}, one process", "runs/s", "higher", samples, SUBJECT, YARDSTICK, None)
    )


def _timed(work: Callable[[], object], times: int) -> Callable[[], Sample]:
    def run() -> Sample:
        started, cpu = time.perf_counter(), time.process_time()
        for _ in range(times):
            work()
        return Sample(times / (time.perf_counter() - started), (time.process_time() - cpu) / times)

    return run


def _documents() -> None:
    for _ in range(1_000):
        json.loads(json.dumps(DOCUMENT))
