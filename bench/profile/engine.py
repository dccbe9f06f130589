"""What workerd does while it serves one kind of call: samples of its inspector, gathered by who takes the time.

Python is one WebAssembly module to it, so this tells the shares of Python, of the glue between it and JavaScript, and
of the runtime, not which Python function it was.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from bench.measure.arrivals import Arrivals
from bench.measure.calls import CALLS, Server, open_session, turn
from bench.measure.processes import usage
from bench.measure.wire import Connection
from bench.sections.streams import SETTLE_SECONDS, allow_files
from bench.subjects.memory import INSPECTOR, NODE
from bench.subjects.workerd import Workerd, waypost

SECONDS = 4
CONNECTIONS = 4
CALLS_PROFILED = 1200
SHOWN = 14


def of_call(call: str) -> str:
    """The shares of time while `call` is made again and again."""
    with Workerd(waypost(), has_inspector=True) as workerd:
        server = Server(workerd.ports["waypost"], workerd.group)
        turn(server, CALLS[call], CALLS_PROFILED // 4, CONNECTIONS)()
        with _profiling(workerd) as asking:
            turn(server, CALLS[call], CALLS_PROFILED, CONNECTIONS)()
            return _told(call, asking)


def of_streams(count: int) -> str:
    """The same while so many streams are open and nothing happens."""
    allow_files(count + 200)
    with Workerd(waypost(), has_inspector=True) as workerd, Arrivals() as arrivals:
        port = workerd.ports["waypost"]
        with Connection(port) as connection:
            for _ in range(count):
                session = open_session(connection)
                arrivals.hold(port, session.host.message("GET", f"/api/stream?code={session.code}"), b"expiresAt")
        time.sleep(SETTLE_SECONDS)
        before = usage(workerd.group).cpu_seconds
        with _profiling(workerd) as asking:
            time.sleep(SECONDS)
            each = (usage(workerd.group).cpu_seconds - before) / SECONDS / count * 1e6
            return _told(f"{count} streams at rest, {each:.0f} µs of CPU a second for each", asking)


def _profiling(workerd: Workerd) -> subprocess.Popen[bytes]:
    line = [str(NODE), str(INSPECTOR), str(workerd.inspector), "waypost", "profile", str(SECONDS)]
    return subprocess.Popen(line, stdout=subprocess.PIPE)


def _told(title: str, asking: subprocess.Popen[bytes]) -> str:
    printed, _ = asking.communicate(timeout=60)
    shares, functions = gathered(json.loads(printed))
    rows = [f"{share:6.1%}  {who}" for who, share in shares.items()]
    rows += ["", *(f"{share:6.1%}  {name}" for name, share in list(functions.items())[:SHOWN])]
    return f"{title}\n" + "\n".join(rows)


def gathered(profile: Mapping[str, Any]) -> tuple[dict[str, float], dict[str, float]]:
    """The share of each kind of work, and of each function, of the time in which there was any."""
    frames = {node["id"]: node["callFrame"] for node in profile["nodes"]}
    samples = [frames[id] for id in profile["samples"] if frames[id]["functionName"] != "(idle)"]
    kinds = Counter(map(kind_of, samples))
    names = Counter(f"{frame['functionName'] or 'anonymous'}  {kind_of(frame)}" for frame in samples)
    total = max(1, len(samples))
    return ({kind: count / total for kind, count in kinds.most_common()},
            {name: count / total for name, count in names.most_common()})  # fmt: skip


def kind_of(frame: Mapping[str, Any]) -> str:
    """Who a sample belongs to."""
    name, url = frame["functionName"], frame["url"]
    if name == "(garbage collector)":
        return "garbage collection of JavaScript"
    if name == "(program)":
        return "workerd itself, outside of any script"
    if name.startswith("wasm-function"):
        return "Python (WebAssembly)"
    if "wasm" in name:
        return "crossing between WebAssembly and JavaScript"
    if url:
        return "Pyodide's glue and other scripts"
    return "functions of the runtime called from scripts"
