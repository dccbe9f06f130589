"""The same calls on a store: under wrangler with Miniflare's KV, beside JavaScript Workers on the same.

One of them keeps a queue as most people do, a JSON array under one key, and one has our layout of keys. The first one
loses messages under concurrent writes; the lost ones are counted.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.measure.calls import CALLS, Server, open_session, request_body, turn
from bench.measure.figures import Figure, Goal, Results
from bench.measure.load import drive
from bench.measure.mode import QUICK, Mode
from bench.measure.progress import Progress
from bench.measure.rounds import Samples, Turns, compared, interleave
from bench.measure.stats import spread
from bench.measure.wire import Connection
from bench.subjects.peers import (
    JSON_ARRAY,
    SAME_KEYS,
    SAME_KEYS_UNLIMITED,
    UNLIMITED,
    WAYPOST,
    json_array_worker,
    same_keys_worker,
    unlimited_worker,
    waypost_worker,
)
from tools.local.harness.worker import LocalWorker

SECTION = "storage"
GOALS = {SAME_KEYS: Goal("ratio", 0.9, "higher")}
ONLY_WITH_OUR_KEYS = ("read a conversation of 10",)
PRODUCERS = 4
UNLIMITED_CONNECTIONS = 4
"""Where both are compared without rate limits too; once is enough."""


def measure(mode: Mode, progress: Progress, results: Results) -> None:
    """Requests a second on KV, as ratios to both JavaScript Workers; and messages lost with several producers."""
    with tempfile.TemporaryDirectory(prefix="waypost-bench-") as folder, ExitStack() as stack:
        workers = {
            WAYPOST: waypost_worker(Path(folder)),
            UNLIMITED: unlimited_worker(Path(folder)),
            SAME_KEYS: same_keys_worker(Path(folder), has_limits=True),
            SAME_KEYS_UNLIMITED: same_keys_worker(Path(folder), has_limits=False),
            JSON_ARRAY: json_array_worker(Path(folder)),
        }
        if mode is QUICK:
            del workers[UNLIMITED], workers[SAME_KEYS_UNLIMITED]
        servers = start_all(workers, stack)
        per_size = mode.section_seconds / len(mode.connections)
        for connections in mode.connections:
            turns = _turns(servers, mode, connections)
            samples = interleave(turns, max(1, mode.rounds * 2 // 3), per_size, progress)
            _report(results, samples, connections)
        for who in (WAYPOST, SAME_KEYS, JSON_ARRAY):
            server = servers[who]
            progress.step(f"lost messages, {who}")
            results.figures.append(_lost(who, server, mode.stored_calls))


def start_all(workers: dict[str, LocalWorker], stack: ExitStack) -> dict[str, Server]:
    """Start them side by side; they end with `stack`."""
    for worker in workers.values():
        stack.callback(worker.stop)
        worker.start()
    for worker in workers.values():
        worker.wait_ready()
    return {name: Server(worker.port, worker.group) for name, worker in workers.items()}


def _report(results: Results, samples: Samples, connections: int) -> None:
    for name in CALLS:
        title = f"{name}, {connections} connection{'s' * (connections > 1)}"
        for who, against in ((WAYPOST, SAME_KEYS), (UNLIMITED, SAME_KEYS_UNLIMITED), (WAYPOST, JSON_ARRAY)):
            ours, its = f"{who}: {name}", f"{against}: {name}"
            if ours in samples and its in samples:
                pair = {who: samples[ours], against: samples[its]}
                label = title if who == WAYPOST else f"{title}, no limits bound"
                goal = GOALS.get(against) if who == WAYPOST else None
                figure = compared(SECTION, label, "requests/s", "higher", pair, who, against, goal)
                results.figures.append(figure)


def _turns(servers: dict[str, Server], mode: Mode, connections: int) -> Turns:
    calls = max(mode.stored_calls, connections)
    return {
        f"{who}: {name}": turn(server, prepare, calls, connections)
        for name, prepare in CALLS.items()
        for who, server in servers.items()
        if (who != JSON_ARRAY or name not in ONLY_WITH_OUR_KEYS)
        and (who not in (UNLIMITED, SAME_KEYS_UNLIMITED) or connections == UNLIMITED_CONNECTIONS)
    }


def _lost(who: str, server: Server, count: int) -> Figure:
    """Messages of four producers that were accepted and that the host never sees."""
    with Connection(server.port) as connection:
        session = open_session(connection)
        scripts = [
            [
                session.guest.message("POST", "/api/request", request_body(session.code, id=f"p{producer}-{number}"))
                for number in range(count // PRODUCERS)
            ]
            for producer in range(PRODUCERS)
        ]
        accepted = len(drive(server.port, scripts).replies)
        polled = connection.call(session.host.message("GET", f"/api/poll?code={session.code}")).json()["messages"]
    ids = {(message.get("data") or message)["id"] for message in polled}
    value = spread([float(accepted - len(ids))])
    goal = Goal("value", 0, "lower") if who == WAYPOST else None
    name = f"lost of {accepted} messages, {PRODUCERS} producers: {who}"
    return Figure(SECTION, name, "messages", value, "lower", goal=goal)
