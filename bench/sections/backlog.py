"""A host that comes back to a full queue: how fast it gets everything, and what that takes of memory."""

from __future__ import annotations

import time

from bench.measure.arrivals import Arrivals, new_mark
from bench.measure.calls import open_session, request_body
from bench.measure.figures import Figure, Results, Skip
from bench.measure.load import drive
from bench.measure.mode import QUICK, Mode
from bench.measure.progress import Progress
from bench.measure.rounds import Sample, Samples, compared, values
from bench.measure.stats import spread
from bench.measure.wire import BadReply, Connection
from bench.subjects.memory import memory_of
from bench.subjects.workerd import Workerd, waypost

SECTION = "backlog"
WRITERS = 4
PATIENCE_SECONDS = 300.0
SMALL_ENOUGH_TO_REPEAT = 1_000
REPEATS = 3


def measure(mode: Mode, progress: Progress, results: Results) -> None:
    """Messages a second, and how much the isolate's heap grew, for each size of backlog."""
    progress.expect(len(mode.backlogs) * REPEATS)
    samples: Samples = {}
    heaps: dict[str, list[float]] = {}
    seconds_each = 0.0
    with Workerd(waypost(), has_inspector=True) as workerd:
        for size in mode.backlogs:
            name = f"{size:,} messages"
            if size * seconds_each > mode.section_seconds:
                why = f"writing them would take {size * seconds_each:.0f} s on this machine now"
                results.skipped.append(Skip(SECTION, name, why))
                continue
            repeats = REPEATS if size <= SMALL_ENOUGH_TO_REPEAT and mode is not QUICK else 1
            for _ in range(repeats):
                progress.step(name)
                rate, grown, seconds_each = _drain(workerd, size)
                samples.setdefault(name, []).append(Sample(rate))
                heaps.setdefault(name, []).append(grown)
    first = next(iter(samples))
    for name, found in samples.items():
        pair = {name: [Sample(spread(values(found)).median)], first: [Sample(spread(values(samples[first])).median)]}
        if name == first:
            value = spread(values(found))
            results.figures.append(Figure(SECTION, f"{name}, drained", "messages/s", value, "higher"))
        else:
            results.figures.append(
                compared(SECTION, f"{name}, drained", "messages/s", "higher", pair, name, first, None)
            )
        title = f"{name}, heap taken to deliver them"
        results.figures.append(Figure(SECTION, title, "MiB", spread(heaps[name]), "lower"))


def _drain(workerd: Workerd, size: int) -> tuple[float, float, float]:
    """Messages a second to the host, MiB that its heap grew by, and the seconds that writing each message took."""
    port = workerd.ports["waypost"]
    with Connection(port) as connection:
        session = open_session(connection)
    scripts = [
        [
            session.guest.message("POST", "/api/request", request_body(session.code, id=new_mark()))
            for _ in range(size // WRITERS)
        ]
        for _ in range(WRITERS)
    ]
    written = drive(port, scripts)
    before = memory_of(workerd, "waypost").isolate
    with Arrivals() as arrivals:
        started = time.perf_counter()
        arrivals.hold(port, session.host.message("GET", f"/api/stream?code={session.code}"), b"ready")
        if not arrivals.wait_for_count(size // WRITERS * WRITERS, PATIENCE_SECONDS):
            raise BadReply(f"only {len(arrivals.seen)} of {size} messages arrived")
        seconds = max(arrivals.seen.values()) - started
        grown = memory_of(workerd, "waypost").isolate - before
    with Connection(port) as connection:
        # What is not wanted any more is not polled any more either.
        connection.call(session.host.message("DELETE", f"/api/sessions/{session.code}"), 200, 204)
    return size / seconds, grown, written.seconds / len(written.replies)
