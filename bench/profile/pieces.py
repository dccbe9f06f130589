"""What single steps of a call cost in the Python of workerd, in microseconds.

Inside, no clock moves while code runs, so a Worker does a step many times and the time is taken outside; what the same
Worker takes for nothing is subtracted.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from bench.measure.processes import usage
from bench.measure.progress import Progress
from bench.measure.stats import Spread, spread
from bench.measure.wire import Connection, Sender
from bench.subjects.workerd import Service, Workerd, waypost

ENTRY = Path(__file__).parent / "pieces_worker" / "entry.py"
NOTHING = "nothing"
ROUNDS = 5
TRIAL = 50
SECONDS = 0.25
"""How long a step is repeated: the CPU's clock moves in steps of 10 ms."""

MAX_TIMES = 10_000
"""What a step makes is garbage only when the request is over."""


def measure(progress: Progress) -> dict[str, Spread]:
    """Microseconds of CPU of each step, the most expensive first."""
    ours = waypost("pieces")
    service = Service(ours.name, {**ours.modules, "entry.py": ENTRY}, ours.variables, ours.limits)
    with Workerd(service) as workerd, Connection(workerd.ports["pieces"]) as connection:
        sender = Sender()
        steps: list[str] = json.loads(connection.call(sender.message("GET", "/")).body)
        progress.expect(len(steps) * ROUNDS)
        samples: dict[str, list[float]] = {step: [] for step in steps}
        times: dict[str, int] = {}
        for step in steps:
            # Warms up, and tells how often it fits.
            started = time.perf_counter()
            connection.call(sender.message("GET", f"/{step}?times={TRIAL}"))
            each = (time.perf_counter() - started) / TRIAL
            times[step] = max(TRIAL, min(MAX_TIMES, round(SECONDS / each)))
        for _ in range(ROUNDS):
            for step in steps:
                progress.step(step)
                before = usage(workerd.group).cpu_seconds
                connection.call(sender.message("GET", f"/{step}?times={times[step]}"))
                samples[step].append((usage(workerd.group).cpu_seconds - before) / times[step] * 1e6)
    return _without_nothing(samples)


def _without_nothing(samples: Mapping[str, list[float]]) -> dict[str, Spread]:
    spare = samples[NOTHING]
    net = {
        step: spread([value - nothing for value, nothing in zip(values, spare, strict=True)])
        for step, values in samples.items()
        if step != NOTHING
    }
    return dict(sorted(net.items(), key=lambda item: -item[1].median))


def text(steps: Mapping[str, Spread]) -> str:
    """The steps as lines."""
    lines = [
        f"{found.median:8.0f} µs  ({found.low:.0f} to {found.high:.0f})  {step.replace('_', ' ')}"
        for step, found in steps.items()
    ]
    return "\n".join(lines)
