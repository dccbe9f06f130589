"""Runs flows of the Python client's core by a script, without input or output."""

from __future__ import annotations

from typing import Any

import msgspec

from waypost._core.effects import Effect, Emit, Flow, Now, Open, Outcome, Read, Send, Shut, Sleep, advance
from waypost._core.messages import Reply, Request
from waypost.errors import TransportError

Scripted = Reply | TransportError | bytes | None
"""What comes of a `Send`, an `Open` or a `Read`. `None`: the end of a stream."""


class Script:
    """Tells a flow what comes of its effects, in order. `now`: the time, which sleeps move. `sent`: the requests.
    `slept`: the delays. `emitted`: the values."""

    def __init__(self, *outcomes: Scripted) -> None:
        self.now = 0.0
        self.sent: list[Request] = []
        self.slept: list[float] = []
        self.emitted: list[Any] = []
        self._outcomes = list(outcomes)

    def run(self, flow: Flow[Any]) -> Any:
        """The flow's result. Raises what it raises; `AssertionError` if the script is too short."""
        outcome = Outcome()
        while True:
            try:
                effect = advance(flow, outcome)
            except StopIteration as stop:
                return stop.value
            outcome = self._outcome(effect)

    def _outcome(self, effect: Effect) -> Outcome:
        if isinstance(effect, Now):
            return Outcome(self.now)
        if isinstance(effect, Sleep):
            self.slept.append(effect.seconds)
            self.now += effect.seconds
        elif isinstance(effect, Emit):
            self.emitted.append(effect.value)
        elif isinstance(effect, Send | Open | Read):
            if not isinstance(effect, Read):
                self.sent.append(effect.request)
            assert self._outcomes, f"the script is over, and the flow asks for {effect}"
            scripted = self._outcomes.pop(0)
            return Outcome(error=scripted) if isinstance(scripted, TransportError) else Outcome(scripted)
        else:
            assert isinstance(effect, Shut)
        return Outcome()


def reply(status: int = 200, value: Any = None, **headers: str) -> Reply:
    """A reply with a JSON body."""
    fields = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, fields, b"" if value is None else msgspec.json.encode(value))


def problem(status: int, code: str, **headers: str) -> Reply:
    """A problem document."""
    return reply(
        status, {"type": "about:blank", "title": code, "status": status, "detail": code, "code": code}, **headers
    )


STREAM = Reply(200, {"content-type": "text/event-stream; charset=utf-8"}, b"")
"""The head of a stream."""


def event(name: str, data: Any, id: str = "") -> bytes:
    """An event as it is sent."""
    head = f"event: {name}\n" + (f"id: {id}\n" if id else "")
    return head.encode() + b"data: " + msgspec.json.encode(data) + b"\n\n"
