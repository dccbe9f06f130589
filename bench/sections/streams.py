"""Many open streams on one isolate: what each one costs at rest and with one message a second, step by step.

The store is the isolate's own memory, so this CPU includes the polls; in production they wait for KV instead.
"""

from __future__ import annotations

import resource
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

from bench.measure.arrivals import Arrivals, new_mark
from bench.measure.calls import Session, open_session, request_body
from bench.measure.figures import Figure, Goal, Results, Skip
from bench.measure.mode import Mode
from bench.measure.processes import usage
from bench.measure.progress import Progress
from bench.measure.stats import percentile, spread
from bench.measure.threads import in_threads
from bench.measure.wire import BadReply, Connection
from bench.subjects.memory import Memory, memory_of
from bench.subjects.workerd import Workerd, waypost

SECTION = "streams"
SETTLE_SECONDS = 14.5
"""After this much rest a stream of the paid plan polls at its slowest rate."""
SENDERS = 4
OPENING_SECONDS = 30.0
"""Within which the streams of a step must be open: an isolate that is busy with those it has takes ever longer."""

ARRIVAL_SECONDS = 20.0
IDLE_GOALS = {1000: (Goal("value", 128, "lower"), Goal("value", 12, "lower"))}
"""By the number of streams: MiB of heap, and percent of a core."""


class Busy(NamedTuple):
    """What a while with messages came to."""

    cpu_percent: float
    delays_ms: list[float]
    sent_each_second: float


@dataclass
class Step:
    """What so many streams took."""

    count: int
    memory: Memory
    idle_cpu_percent: float
    busy: Busy


def measure(mode: Mode, progress: Progress, results: Results) -> None:
    """Memory, CPU and delays at each number of streams, and how they grow; up to the one that is too much."""
    allow_files(max(mode.open_streams) + 200)
    progress.expect(len(mode.open_streams) * 3)
    steps: list[Step] = []
    with Workerd(waypost(), has_inspector=True) as workerd:
        port = workerd.ports["waypost"]
        empty = memory_of(workerd, "waypost")
        with Arrivals() as arrivals, Connection(port) as connection:
            crowd = _Crowd(workerd, connection, arrivals)
            for number in mode.open_streams:
                try:
                    steps.append(crowd.step(number, mode, progress))
                except (BadReply, TimeoutError, subprocess.TimeoutExpired) as problem:
                    why = f"{len(crowd.sessions)} were open: {problem}"
                    results.skipped.append(Skip(SECTION, f"{number} streams", why))
                    break
            if arrivals.closed:
                results.notes.append(f"streams: {arrivals.closed} were ended by the Worker")
    _report(results, steps, empty)


def allow_files(wanted: int) -> None:
    """Let this process hold so many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


class _Crowd:
    """The streams that are open, each of a session of its own, and more of them with every step."""

    def __init__(self, workerd: Workerd, connection: Connection, arrivals: Arrivals) -> None:
        self.sessions: list[Session] = []
        self._workerd = workerd
        self._port = workerd.ports["waypost"]
        self._connection = connection
        self._arrivals = arrivals

    def step(self, number: int, mode: Mode, progress: Progress) -> Step:
        """What it takes to hold so many; a `BadReply` where the isolate is too busy for it."""
        progress.step(f"{number} open")
        self._open(number)
        progress.step(f"{number} at rest")
        time.sleep(min(SETTLE_SECONDS, mode.rest_seconds * 2))
        idle = self._idle(mode.rest_seconds)
        memory = memory_of(self._workerd, "waypost")
        progress.step(f"{number} with messages")
        return Step(number, memory, idle, self._busy(mode.watch_seconds))

    def _open(self, number: int) -> None:
        deadline = time.monotonic() + OPENING_SECONDS
        while len(self.sessions) < number:
            if time.monotonic() > deadline:
                raise BadReply(f"no more could be opened within {OPENING_SECONDS:g} s")
            session = open_session(self._connection)
            message = session.host.message("GET", f"/api/stream?code={session.code}")
            self._arrivals.hold(self._port, message, b"expiresAt")
            self.sessions.append(session)

    def _cpu(self) -> float:
        return usage(self._workerd.group).cpu_seconds

    def _idle(self, seconds: float) -> float:
        before, started = self._cpu(), time.perf_counter()
        time.sleep(seconds)
        return (self._cpu() - before) / (time.perf_counter() - started) * 100

    def _busy(self, seconds: float) -> Busy:
        """Send each session a message a second, evenly, as far as the Worker takes them."""
        before, started = self._cpu(), time.perf_counter()
        accepted: dict[str, float] = {}
        numbers = count()

        def send() -> None:
            with Connection(self._port) as connection:
                for number in numbers:
                    # When this one is due; late ones are sent immediately.
                    due = started + number / len(self.sessions)
                    if max(due, time.perf_counter()) > started + seconds:
                        return
                    time.sleep(max(0.0, due - time.perf_counter()))
                    session, mark = self.sessions[number % len(self.sessions)], new_mark()
                    body = request_body(session.code, id=mark)
                    connection.call(session.guest.message("POST", "/api/request", body))
                    accepted[mark] = time.perf_counter()

        in_threads(send, SENDERS)
        elapsed = time.perf_counter() - started
        cpu = (self._cpu() - before) / elapsed * 100
        arrived = ((self._arrivals.wait_for(mark, ARRIVAL_SECONDS), when) for mark, when in accepted.items())
        delays = [max(0.0, seen - when) * 1000 for seen, when in arrived]
        return Busy(cpu, delays, len(accepted) / elapsed)


def _report(results: Results, steps: list[Step], empty: Memory) -> None:
    def add(name: str, unit: str, values: list[float], goals: list[Goal | None]) -> None:
        for number, (step, value, goal) in enumerate(zip(steps, values, goals, strict=True)):
            before = steps[number - 1].count if number else 0
            against = f"{before} streams" if number else ""
            reference = spread([values[number - 1]]) if number else None
            growth = spread([value / values[number - 1]]) if number and values[number - 1] else None
            title = f"{step.count} streams, {name}"
            results.figures.append(
                Figure(SECTION, title, unit, spread([value]), "lower", against, reference, growth, None, goal)
            )

    none: list[Goal | None] = [None] * len(steps)
    heap, cpu = ([IDLE_GOALS.get(step.count, (None, None))[index] for step in steps] for index in (0, 1))
    add("isolate's heap at rest", "MiB", [step.memory.isolate for step in steps], heap)
    add("memory of workerd over an empty one", "MiB", [step.memory.resident - empty.resident for step in steps], none)
    add("CPU at rest", "% of a core", [step.idle_cpu_percent for step in steps], cpu)
    add("CPU at rest, a stream", "µs each second", [s.idle_cpu_percent * 1e4 / s.count for s in steps], none)
    add("CPU with messages", "% of a core", [step.busy.cpu_percent for step in steps], none)
    add("messages taken", "a second", [step.busy.sent_each_second for step in steps], none)
    for percent in (50, 99):
        delays = [percentile(step.busy.delays_ms, percent) for step in steps]
        add(f"delivery with messages, p{percent}", "ms", delays, none)
