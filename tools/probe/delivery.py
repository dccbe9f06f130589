"""How long a call takes to the host, and there and back; and whether it met the host's stream in one isolate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple

import httpx

from bench.measure.progress import Progress
from tools.probe.caller import Caller, Stream, Target
from tools.probe.made import Made, Session
from tools.probe.scale import Scale
from tools.probe.timing import Told

PATIENCE_SECONDS = 150.0
"""What a delivery may take at most: KV may take two minutes to show what was written elsewhere."""

SILENCE_SECONDS = 60.0
"""Longer than the interval of heartbeats."""

WAIT_SECONDS = 60

RETRY_SECONDS = 0.1
"""How soon a host comes back; what it misses meanwhile waits in its queue."""


class Arrival(NamedTuple):
    """When a request arrived at the host, in the loop's seconds, and what was told of the stream that brought it."""

    at: float
    told: Told


@dataclass(frozen=True)
class Delivered:
    """One call: seconds from its acceptance (its 202) to the host, and from sending it; `met`: in one isolate.

    `met` is `None` where the deployment does not name its isolates.
    """

    accepted_to_host: float
    sent_to_host: float
    met: bool | None


@dataclass(frozen=True)
class RoundTrip:
    """Seconds from sending a call that waits to its answer."""

    seconds: float
    met: bool | None


@dataclass
class Delivery:
    """All calls; `lost` were not delivered within `PATIENCE_SECONDS`. `continued`: how often a host's stream ended, and
    was continued by another."""

    delivered: list[Delivered] = field(default_factory=list)
    round_trips: list[RoundTrip] = field(default_factory=list)
    lost: int = 0
    continued: int = 0


class Host:
    """The host's side of a session: hears requests, answers them if it `answers`, and comes back when its stream ends.

    `told`: of the stream that is open. `connected`: whether the first one is. `streams`: how many were opened.
    """

    def __init__(self, target: Target, session: Session, *, answers: bool) -> None:
        self.told = Told()
        self.connected = asyncio.Event()
        self.streams = 0
        self._target = target
        self._session = session
        self._answers = answers
        self._last_id = ""
        self._arrivals: dict[str, asyncio.Future[Arrival]] = {}

    def arrival(self, id: str) -> asyncio.Future[Arrival]:
        """When the request with this id arrives, and by which stream."""
        return self._arrivals.setdefault(id, asyncio.get_running_loop().create_future())

    async def run(self) -> None:
        """Listen until this is cancelled. Raises `ProbeFailure` if a stream does not open."""
        path = f"/api/stream?code={self._session.code}"
        async with Caller(self._target) as listener, Caller(self._target) as answerer:
            while True:
                async with listener.stream(path, self._session.host, SILENCE_SECONDS, self._last_id) as stream:
                    self.told = stream.told
                    self.streams += 1
                    self.connected.set()
                    # A stream that breaks is continued as one that ends.
                    with suppress(httpx.TransportError):
                        await self._listen(stream, answerer)
                await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self, stream: Stream, answerer: Caller) -> None:
        async for event in stream.events():
            self._last_id = event.get("id") or self._last_id
            if event["event"] == "request":
                await self._heard(event["data"]["id"], answerer)

    async def _heard(self, id: str, answerer: Caller) -> None:
        arrival = self.arrival(id)
        if arrival.done():
            return
        arrival.set_result(Arrival(asyncio.get_running_loop().time(), self.told))
        if self._answers:
            body = {"code": self._session.code, "id": id, "result": True}
            (await answerer.call("POST", "/api/response", body, self._session.host)).expect(202, 409)


@asynccontextmanager
async def host(target: Target, session: Session, *, answers: bool) -> AsyncGenerator[Host, None]:
    """A host that listens, on a connection of its own, and answers on another."""
    there = Host(target, session, answers=answers)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(there.run())
        await there.connected.wait()
        yield there
        running.cancel()


async def delivery(target: Target, made: Made, scale: Scale, progress: Progress) -> Delivery:
    """Call hosts: first one way, with a new stream every few calls, then there and back."""
    found = Delivery()
    progress.expect(scale.streams + scale.round_trips)
    async with Caller(target) as guest:
        is_late = _deadline(scale)
        for number in range(scale.streams):
            if is_late():
                break
            progress.step(f"stream {number + 1}")
            session = await made.session(guest)
            async with host(target, session, answers=False) as there:
                for call in range(scale.calls_a_stream):
                    if not is_late():
                        await _deliver(f"probe-{number}-{call}", guest, session, there, found)
                found.continued += there.streams - 1
        is_late = _deadline(scale)
        session = await made.session(guest)
        async with host(target, session, answers=True) as there:
            for number in range(scale.round_trips):
                progress.step(f"round trip {number + 1}")
                if not is_late():
                    await _round_trip(f"probe-{number}", guest, session, there, found)
            found.continued += there.streams - 1
    return found


def _deadline(scale: Scale) -> Callable[[], bool]:
    """Whether a section that begins now has taken its time: with a call a minute, a run would take an hour."""
    loop = asyncio.get_running_loop()
    latest = loop.time() + scale.section_seconds
    return lambda: loop.time() > latest


async def _deliver(id: str, guest: Caller, session: Session, there: Host, found: Delivery) -> None:
    arrival = there.arrival(id)
    body = {"code": session.code, "tool": "probe", "args": {}, "id": id}
    sent = (await guest.call("POST", "/api/request", body, session.guest)).expect(202)
    try:
        came = await asyncio.wait_for(arrival, PATIENCE_SECONDS)
    except TimeoutError:
        found.lost += 1
        return
    # The event may overtake the 202.
    delay = max(0.0, came.at - sent.came)
    found.delivered.append(Delivered(delay, came.at - sent.sent, met(came.told, sent.told)))


async def _round_trip(id: str, guest: Caller, session: Session, there: Host, found: Delivery) -> None:
    body = {"code": session.code, "tool": "probe", "args": {}, "id": id}
    loop = asyncio.get_running_loop()
    started = loop.time()
    while loop.time() - started < PATIENCE_SECONDS:
        reply = await guest.call("POST", f"/api/request?wait={WAIT_SECONDS}", body, session.guest, wait=WAIT_SECONDS)
        if reply.expect(200, 202).status == 200:
            found.round_trips.append(RoundTrip(reply.came - started, met(there.told, reply.told)))
            return
    found.lost += 1


def met(one: Told, other: Told) -> bool | None:
    """Whether two replies came from one isolate; `None` if they do not tell."""
    if one.isolate is None or other.isolate is None:
        return None
    return one.isolate == other.isolate
