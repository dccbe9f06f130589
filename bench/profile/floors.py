"""What the platform takes by itself, beside whole calls of Waypost: no handler can cost less than what it stands on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.measure.calls import CALLS, Server, echo, turn
from bench.measure.processes import usage
from bench.measure.progress import Progress
from bench.measure.rounds import Sample, interleave
from bench.measure.stats import Spread, spread
from bench.measure.wire import Connection, Sender
from bench.subjects.packages import for_workers
from bench.subjects.workerd import Service, Workerd, python_reference, waypost

WORKERS = Path(__file__).parent / "floors_workers"
CALLS_EACH = 400
CONNECTIONS = 4
ROUNDS = 7
SECONDS = 90
WAKES = 200


def measure(progress: Progress) -> dict[str, Spread]:
    """Microseconds of CPU of each, the least first."""
    script = Service("javascript", {"worker.js": WORKERS / "javascript" / "worker.js"})
    services = {
        "JavaScript that answers a constant": script,
        "Python that answers a constant, by the SDK's entry": python_floor("sdk"),
        "Python that answers a constant, by our entry": python_floor("entry"),
        "Python that parses JSON and answers it (bare Python)": python_reference("bare_python"),
        "FastAPI: request": python_reference("fastapi_worker", for_workers("fastapi_worker")),
        "Waypost: request": waypost(),
    }
    with Workerd(*services.values()) as workerd:
        turns: dict[str, Callable[[], Sample]] = {}
        for title, service in services.items():
            server = Server(workerd.ports[service.name], workerd.group)
            call = CALLS["request"] if title.endswith("request") else echo
            # The script is many times as fast, and the CPU's clock moves in steps.
            turns[title] = turn(server, call, CALLS_EACH * (5 if service is script else 1), CONNECTIONS)
        for title, name in (("JavaScript", "javascript"), ("Python, by the bell", "entry")):
            turns[f"a wake-up after 6 ms: {title}"] = _wakes(Server(workerd.ports[name], workerd.group))
        samples = interleave(turns, ROUNDS, SECONDS, progress)
    found = {title: spread([sample.cpu_seconds * 1e6 for sample in each]) for title, each in samples.items()}
    return dict(sorted(found.items(), key=lambda item: item[1].median))


def text(measured: dict[str, Spread]) -> str:
    """One line for each."""
    return "\n".join(
        f"{each.median:8.0f} µs  ({each.low:.0f} to {each.high:.0f})  {title}" for title, each in measured.items()
    )


def python_floor(name: str) -> Service:
    """One with what Waypost has, and another entry."""
    ours = waypost()
    return replace(ours, name=name, modules={**ours.modules, "entry.py": WORKERS / name / "entry.py"})


def _wakes(server: Server) -> Callable[[], Sample]:
    def run() -> Sample:
        with Connection(server.port) as connection:
            before = usage(server.group).cpu_seconds
            connection.call(Sender().message("GET", f"/?times={WAKES}"))
            return Sample(WAKES, (usage(server.group).cpu_seconds - before) / WAKES)

    return run
