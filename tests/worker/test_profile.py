"""The Workers that `make profile` measures do what they say: each of their steps runs."""

from __future__ import annotations

import json

from bench.measure.wire import Connection, Sender
from bench.profile.floors import WORKERS, python_floor
from bench.profile.pieces import ENTRY
from bench.subjects.workerd import Service, Workerd, waypost


def test_every_step_of_a_call_can_be_taken_by_itself() -> None:
    ours, sender = waypost("pieces"), Sender()
    service = Service(ours.name, {**ours.modules, "entry.py": ENTRY}, ours.variables, ours.limits)
    with Workerd(service) as workerd, Connection(workerd.ports["pieces"]) as connection:
        steps: list[str] = json.loads(connection.call(sender.message("GET", "/")).body)
        assert len(steps) > 20
        for step in steps:
            assert connection.call(sender.message("GET", f"/{step}?times=2")).body == b"done", step


def test_the_least_workers_answer_and_wake_up() -> None:
    script = Service("javascript", {"worker.js": WORKERS / "javascript" / "worker.js"})
    with Workerd(script, python_floor("sdk"), python_floor("entry")) as workerd:
        for name, port in workerd.ports.items():
            with Connection(port) as connection:
                assert connection.call(Sender().message("POST", "/echo", {})).body == b"{}", name
                assert connection.call(Sender().message("GET", "/?times=2")).body == b"{}", name
