"""A tab and an agent beside each other: how long a request takes to reach the tab, and its answer to come back.

The tab holds a stream, or asks once a second where there is no stream; it answers each request immediately.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from random import Random
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from bench.measure.arrivals import Arrivals, new_mark
from bench.measure.calls import RESULT, Session, open_session, request_body
from bench.measure.wire import Connection, Sender

PATIENCE_SECONDS = 40.0
POLL_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 0.2


class Delivery(NamedTuple):
    """Seconds until a request is at the tab: since it was sent, and since its 202 (0 if it was there before)."""

    since_sent: float
    since_accepted: float


class Tab(Protocol):
    """Anything that a request can be sent to."""

    def deliver(self) -> Delivery:
        """How long a request takes to the tab."""
        ...

    def round_trip(self) -> float:
        """Seconds from a request to the result in the agent's hands."""
        ...


@dataclass
class StreamTab:
    """A tab with an open stream, and an agent that waits in its call (`?wait=`). A context manager.

    `host_fields` and `guest_fields` are header fields of the two sides, and choose the isolate where there are two.
    """

    port: int
    host_fields: dict[str, str] = field(default_factory=dict)
    guest_fields: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    longest_pause_seconds: float = LONGEST_PAUSE_SECONDS
    _answering: bool = False

    def __enter__(self) -> Self:
        self._dice = Random(self.seed)
        self._agent, self._host = Connection(self.port), Connection(self.port)
        opener = Sender("", **self.host_fields)
        opened = self._host.call(opener.message("POST", "/api/sessions", {})).json()
        guest, host = Sender("", **self.guest_fields), Sender(opened["hostToken"], **self.host_fields)
        self._session = Session(opened["code"], guest, host)
        self._arrivals = Arrivals(self._answer, reopens=True)
        self._arrivals.__enter__()
        stream = host.message("GET", f"/api/stream?code={self._session.code}")
        self._arrivals.hold(self.port, stream, b"ready")
        return self

    def deliver(self) -> Delivery:
        self._answering = False
        mark = self._pause()
        message = self._session.guest.message("POST", "/api/request", request_body(self._session.code, id=mark))
        sent = time.perf_counter()
        self._agent.call(message)
        accepted = time.perf_counter()
        arrived = self._arrivals.wait_for(mark, PATIENCE_SECONDS)
        self._reply(mark)
        return Delivery(arrived - sent, max(0.0, arrived - accepted))

    def round_trip(self) -> float:
        self._answering = True
        mark = self._pause()
        message = self._session.guest.message("POST", "/api/request?wait=30", request_body(self._session.code, id=mark))
        sent = time.perf_counter()
        self._agent.call(message, 200)
        return time.perf_counter() - sent

    def _pause(self) -> str:
        # So that requests do not march in step with the looks of the stream.
        time.sleep(self._dice.random() * self.longest_pause_seconds)
        return new_mark()

    def _answer(self, mark: str) -> None:
        if self._answering:
            self._reply(mark)

    def _reply(self, mark: str) -> None:
        body = {"code": self._session.code, "id": mark, "result": RESULT}
        self._host.call(self._session.host.message("POST", "/api/response", body))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._arrivals.__exit__(kind, error, trace)
        self._agent.close()
        self._host.close()


@dataclass
class PollingTab:
    """A tab and an agent that each ask once a second, as there is nothing else on the JSON array."""

    port: int
    seed: int = 0

    def __post_init__(self) -> None:
        self._dice = Random(self.seed)

    def deliver(self) -> Delivery:
        return self._exchange()[0]

    def round_trip(self) -> float:
        return self._exchange()[1]

    def _exchange(self) -> tuple[Delivery, float]:
        arrived: list[float] = []
        with Connection(self.port) as agent, Connection(self.port) as host:
            session = open_session(host)
            mark = new_mark()

            def serve() -> None:
                _look_each_second(host, session.host.message("GET", f"/api/poll?code={session.code}"), mark, self._dice)
                arrived.append(time.perf_counter())
                body = {"code": session.code, "id": mark, "result": RESULT}
                host.call(session.host.message("POST", "/api/response", body))

            serving = threading.Thread(target=serve)
            serving.start()
            sent = time.perf_counter()
            agent.call(session.guest.message("POST", "/api/request", request_body(session.code, id=mark)))
            accepted = time.perf_counter()
            _look_each_second(
                agent, session.guest.message("GET", f"/api/answers?code={session.code}"), mark, self._dice
            )
            answered = time.perf_counter()
            serving.join()
        return Delivery(arrived[0] - sent, max(0.0, arrived[0] - accepted)), answered - sent


def _look_each_second(connection: Connection, message: bytes, mark: str, dice: Random) -> None:
    # Where in its second a poller is when something happens is chance.
    time.sleep(dice.random() * POLL_SECONDS)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while mark.encode() not in connection.call(message).body and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
