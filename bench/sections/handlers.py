"""What the code itself costs: each call without a store, beside handlers that do nothing, in one workerd."""

from __future__ import annotations

from collections.abc import Callable

from bench.measure.calls import CALLS, Server, echo, open_session, turn
from bench.measure.figures import Figure, Goal, Results, Skip
from bench.measure.load import opening_rate
from bench.measure.mode import Mode
from bench.measure.progress import Progress
from bench.measure.rounds import Sample, compared, interleave
from bench.measure.settling import wait_until_streams_ended
from bench.measure.stats import ratios, spread
from bench.measure.wire import Connection, Sender
from bench.subjects.packages import BootstrapError, for_workers
from bench.subjects.workerd import Service, Workerd, javascript_reference, python_reference, waypost

SECTION = "handlers"
CONNECTIONS = 4
BARE, SCRIPT, FRAMEWORK = "bare Python", "bare JavaScript", "FastAPI"
GOALS = {BARE: Goal("ratio", 0.55, "higher"), FRAMEWORK: Goal("ratio", 1.2, "higher")}
"""What a request can reach: docs/benchmarks.md says by the profile why not 0.75 and 1.8, which were aimed at."""

IN_FRAMEWORK = ("create a session", "request", "response", "poll")
"""What the FastAPI Worker serves too; the other calls are compared with its request."""

STREAM = "open a stream"
STREAM_SHARE = 10
"""Streams are opened this many times fewer than calls are made: each has a connection of its own."""


def measure(mode: Mode, progress: Progress, results: Results) -> None:
    """Requests a second of every call, as ratios to the bare handlers and to the same call in a framework."""
    services = [
        waypost(DIAGNOSTICS="1"),
        python_reference("bare_python"),
        javascript_reference("bare_javascript"),
    ]
    if framework := _framework(results):
        services.append(framework)
    with Workerd(*services) as workerd:
        servers = {name: Server(port, workerd.group) for name, port in workerd.ports.items()}
        turns = _turns(servers, mode)
        samples = interleave(turns, mode.rounds, mode.section_seconds, progress)
    for name in (*CALLS, STREAM):
        opened = name == STREAM
        for against in (BARE, SCRIPT, FRAMEWORK):
            # A stream has its own connection, so has the bare handler that it is compared with.
            reference = f"{against}, {STREAM}" if opened else against
            if against == FRAMEWORK:
                reference = f"{against}, {name if name in IN_FRAMEWORK else 'request'}"
                if opened:
                    continue
            if reference in samples:
                figure = compared(SECTION, name, "requests/s", "higher", samples, name, reference, GOALS.get(against))
                results.figures.append(figure)
    results.figures.append(_overall(results.figures))


def _overall(figures: list[Figure]) -> Figure:
    """The typical call beside the bare handler: the median of all calls' ratios."""
    of_calls = [figure for figure in figures if figure.against == BARE and figure.ratio]
    medians = [figure.ratio.median for figure in of_calls if figure.ratio]
    rates = spread([figure.value.median for figure in of_calls])
    references = spread([figure.reference.median for figure in of_calls if figure.reference])
    ratio = ratios(medians, [1.0] * len(medians))
    return Figure(
        SECTION, "the median of the calls", "requests/s", rates, "higher", BARE, references, ratio, None, GOALS[BARE]
    )


def _framework(results: Results) -> Service | None:
    try:
        return python_reference("fastapi_worker", for_workers("fastapi_worker"))
    except BootstrapError as problem:
        results.skipped.append(Skip(SECTION, FRAMEWORK, f"its packages can't be installed: {str(problem)[-300:]}"))
        return None


def _turns(servers: dict[str, Server], mode: Mode) -> dict[str, Callable[[], Sample]]:
    ours, bare, script = (servers[name] for name in ("waypost", "bare_python", "bare_javascript"))
    turns = {name: turn(ours, prepare, mode.calls, CONNECTIONS) for name, prepare in CALLS.items()}
    turns[BARE] = turn(bare, echo, mode.calls, CONNECTIONS)
    # It is several times as fast: as many calls would be over before the clock of the CPU has moved.
    turns[SCRIPT] = turn(script, echo, mode.calls * 5, CONNECTIONS)
    if "fastapi_worker" in servers:
        framework = servers["fastapi_worker"]
        for name in IN_FRAMEWORK:
            turns[f"{FRAMEWORK}, {name}"] = turn(framework, CALLS[name], mode.calls // 2, CONNECTIONS)
    count = max(8, mode.calls // STREAM_SHARE)
    turns[STREAM] = _streams(ours, count)
    turns[f"{BARE}, {STREAM}"] = _openings(bare, count)
    turns[f"{SCRIPT}, {STREAM}"] = _openings(script, count)
    return turns


def _openings(server: Server, count: int) -> Callable[[], Sample]:
    message = Sender().message("GET", "/")
    return lambda: opening_rate(server.port, server.group, [message] * count, b"null")


def _streams(server: Server, count: int) -> Callable[[], Sample]:
    def run() -> Sample:
        with Connection(server.port) as connection:
            session = open_session(connection)
            messages = [session.host.message("GET", f"/api/stream?code={session.code}")] * count
            sample = opening_rate(server.port, server.group, messages, b"expiresAt")
            wait_until_streams_ended(connection, session)
        return sample

    return run
