"""Whose CPU a call takes under `wrangler dev`: its proxy (node), and workerd, in which the store and the Worker are."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.measure.calls import CALLS, turn
from bench.measure.processes import usage
from bench.measure.progress import Progress
from bench.measure.stats import spread
from bench.sections.storage import start_all
from bench.subjects.peers import SAME_KEYS_UNLIMITED, UNLIMITED, same_keys_worker, unlimited_worker

PROCESSES = ("node", "workerd")
CALLS_EACH = 100
CONNECTIONS = 4
ROUNDS = 6


def text(progress: Progress) -> str:
    """Milliseconds of CPU a call, of ours and of the same in JavaScript, turn by turn."""
    found: dict[tuple[str, str, str], list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="waypost-bench-") as folder, ExitStack() as stack:
        workers = {
            UNLIMITED: unlimited_worker(Path(folder)),
            SAME_KEYS_UNLIMITED: same_keys_worker(Path(folder), has_limits=False),
        }
        servers = start_all(workers, stack)
        progress.expect(ROUNDS)
        for number in range(ROUNDS):
            progress.step(f"round {number}")
            for call in ("request", "poll"):
                for who, server in servers.items():
                    before = {process: usage(server.group, process).cpu_seconds for process in PROCESSES}
                    turn(server, CALLS[call], CALLS_EACH, CONNECTIONS)()
                    for process in PROCESSES:
                        taken = usage(server.group, process).cpu_seconds - before[process]
                        # The first round warms up.
                        if number:
                            found.setdefault((call, who, process), []).append(taken / CALLS_EACH * 1000)
    return "\n".join(
        f"{each.median:6.2f} ms  ({each.low:.2f} to {each.high:.2f})  {call}, {who}: {process}"
        for (call, who, process), each in ((key, spread(values)) for key, values in found.items())
    )
