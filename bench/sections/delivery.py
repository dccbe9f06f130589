"""How long a request is on its way to the tab, and its answer on the way back.

Same isolate: the local channel wakes the stream. Two isolates: nothing but polling KV. Beside them the poller that asks
once a second, and a server with Redis. Under wrangler, so that what was answered 202 had been written to Miniflare's
KV; and once more with the store in the isolate's memory, which leaves the time that is ours.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.measure.figures import Figure, Goal, Results, Skip
from bench.measure.mode import QUICK, Mode
from bench.measure.progress import Progress
from bench.measure.rounds import Sample, Samples, compared, interleave
from bench.measure.stats import percentile, spread
from bench.measure.tab import PollingTab, StreamTab, Tab
from bench.measure.threads import at_once
from bench.sections.storage import start_all
from bench.subjects.packages import BootstrapError
from bench.subjects.peers import json_array_worker, waypost_worker
from bench.subjects.redis_stack import RedisStack, missing
from bench.subjects.workerd import Workerd, waypost
from tools.local.harness.two_isolates import TwoIsolates

SECTION = "delivery"
SAME, APART, POLLER, REDIS = (
    "same isolate",
    "two isolates, by polling after a rest",
    "polls once a second",
    "FastAPI + Redis",
)
IN_MEMORY = "same isolate, store in memory"
TO_TAB, BACK = "to the tab", "there and back"
AFTER = "to the tab, after the 202"
"""Figures without a ratio: a server may have delivered before it answers."""
GOALS = {
    (SAME, POLLER): Goal("ratio", 1 / 20, "lower"),
    (SAME, REDIS): Goal("ratio", 3, "lower"),
    (IN_MEMORY, REDIS): Goal("ratio", 3, "lower"),
}
VALUE_GOALS = {50: Goal("value", 15, "lower"), 99: Goal("value", 60, "lower")}
ROUNDS = 5
APART_PAUSE_SECONDS = 4.0
"""A stream that looks at KV by itself does so ever less often: how old its last message is decides, so it is chance."""

POLLERS = 4
"""So many times more of them than of tabs in two isolates: they cost nothing."""


class Delays:
    """Collects every delay in milliseconds, so that percentiles are of all of them and ratios of each round."""

    def __init__(self) -> None:
        self.all: dict[str, list[float]] = defaultdict(list)

    def turn(self, who: str, what: str, tabs: Sequence[Tab], mode: Mode) -> Callable[[], Sample]:
        """A turn whose value is the median of what it measures: several tabs side by side, or one again and again."""

        def run() -> Sample:
            times = 1 if len(tabs) > 1 else max(5, mode.deliveries // ROUNDS)
            if what == BACK:
                found = at_once([tab.round_trip for tab in tabs], times)
            else:
                delivered = at_once([tab.deliver for tab in tabs], times)
                found = [delivery.since_sent for delivery in delivered]
                self.all[f"{who}, {AFTER}"] += [delivery.since_accepted * 1000 for delivery in delivered]
            self.all[f"{who}, {what}"] += [seconds * 1000 for seconds in found]
            return Sample(percentile(found, 50) * 1000)

        return run


def measure(mode: Mode, progress: Progress, results: Results) -> None:
    """Delays and their ratios."""
    delays = Delays()
    with tempfile.TemporaryDirectory(prefix="waypost-bench-") as folder, ExitStack() as stack:
        tabs = _tabs(Path(folder), mode, stack, results)
        turns = {
            f"{who}, {what}": delays.turn(who, what, each, mode)
            for what in (TO_TAB, BACK)
            for who, each in tabs.items()
        }
        samples = interleave(turns, min(mode.rounds, ROUNDS), mode.section_seconds, progress, warm_up=False)
    for what in (AFTER, TO_TAB, BACK):
        for who in tabs:
            _report(results, delays, samples, who, what)


def _report(results: Results, delays: Delays, samples: Samples, who: str, what: str) -> None:
    title = f"{who}, {what}"
    for percent in (50, 99):
        goal = VALUE_GOALS[percent] if (who, what) == (SAME, AFTER) else None
        value = spread([percentile(delays.all[title], percent)])
        results.figures.append(Figure(SECTION, f"{title}, p{percent}", "ms", value, "lower", goal=goal))
    if who not in (SAME, IN_MEMORY, APART):
        return
    for against in (POLLER, REDIS):
        if f"{against}, {what}" in samples:
            pair = {who: samples[title], against: samples[f"{against}, {what}"]}
            goal = GOALS.get((who, against))
            results.figures.append(compared(SECTION, title, "ms", "lower", pair, who, against, goal))
        elif against == REDIS and who != APART and f"{against}, {what}" in delays.all:
            results.figures.append(_overall(delays.all, title, f"{against}, {what}", who, against))


def _overall(delays: dict[str, list[float]], title: str, reference: str, who: str, against: str) -> Figure:
    """The median of all delays beside that of the other's: they come in the same rounds, but are too short for each."""
    mine, its = (percentile(delays[name], 50) for name in (title, reference))
    ratio = spread([mine / its]) if its else None
    return Figure(
        SECTION, title, "ms", spread([mine]), "lower", against, spread([its]), ratio, None, GOALS.get((who, against))
    )


def _tabs(folder: Path, mode: Mode, stack: ExitStack, results: Results) -> dict[str, Sequence[Tab]]:
    """One tab where requests follow each other; many side by side where each waits for seconds."""
    workers = {SAME: waypost_worker(folder), POLLER: json_array_worker(folder)}
    if mode is QUICK:
        results.skipped.append(Skip(SECTION, APART, "takes seconds each time; not measured with --quick"))
    else:
        workers[APART] = TwoIsolates(folder / "apart")
    ports = {name: server.port for name, server in start_all(workers, stack).items()}
    slow = max(3, mode.slow_deliveries // ROUNDS)
    tabs: dict[str, Sequence[Tab]] = {SAME: [stack.enter_context(StreamTab(ports[SAME]))]}
    if APART in ports:
        isolates = {"X_Isolate": "a"}, {"X_Isolate": "b"}
        tabs[APART] = [
            stack.enter_context(StreamTab(ports[APART], *isolates, seed, APART_PAUSE_SECONDS)) for seed in range(slow)
        ]
    workerd = stack.enter_context(Workerd(waypost()))
    tabs[IN_MEMORY] = [stack.enter_context(StreamTab(workerd.ports["waypost"]))]
    tabs[POLLER] = [PollingTab(ports[POLLER], seed) for seed in range(slow * POLLERS)]
    try:
        if why := missing():
            results.skipped.append(Skip(SECTION, REDIS, why))
        else:
            tabs[REDIS] = [stack.enter_context(StreamTab(stack.enter_context(RedisStack()).port))]
    except BootstrapError as problem:
        results.skipped.append(Skip(SECTION, REDIS, f"its packages can't be installed: {str(problem)[-300:]}"))
    return tabs
