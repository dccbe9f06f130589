"""How long a call takes to the host, and there and back; and whether it met the host's stream in one isolate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

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
    """All calls; `lost` were not delivered within `PATIENCE_SECONDS`."""

    delivered: list[Delivered] = field(default_factory=list)
    round_trips: list[RoundTrip] = field(default_factory=list)
    lost: int = 0


class Host:
    """The host's side of a session: hears requests, and answers those that it is asked to."""

    def __init__(self, session: Session, caller: Caller, answers: bool) -> None:
        self.told = Told()
        self._session = session
        self._caller = caller
        self._answers = answers
        self._arrivals: dict[str, asyncio.Future[float]] = {}

    def arrival(self, id: str) -> asyncio.Future[float]:
        """When the request with this id arrives, in the loop's seconds."""
        return self._arrivals.setdefault(id, asyncio.get_running_loop().create_future())

    async def listen(self, stream: Stream) -> None:
        """Read the stream until it ends."""
        try:
            async for event in stream.events():
                if event["event"] == "request":
                    await self._heard(event["data"])
        except httpx.TransportError:
            # A stream that breaks ends this host; who waits for an arrival is not told, and counts it as lost.
            return

    async def _heard(self, request: dict[str, Any]) -> None:
        arrival = self.arrival(request["id"])
        if arrival.done():
            return
        arrival.set_result(asyncio.get_running_loop().time())
        if self._answers:
            body = {"code": self._session.code, "id": request["id"], "result": True}
            (await self._caller.call("POST", "/api/response", body, self._session.host)).expect(202, 409)


@asynccontextmanager
async def host(target: Target, session: Session, *, answers: bool) -> AsyncGenerator[Host, None]:
    """A host that listens, on a connection of its own, and answers on another."""
    async with (
        Caller(target) as listener,
        Caller(target) as answerer,
        listener.stream(session.stream_path(), session.host, SILENCE_SECONDS) as stream,
        asyncio.TaskGroup() as group,
    ):
        there = Host(session, answerer, answers)
        there.told = stream.told
        listening = group.create_task(there.listen(stream))
        yield there
        listening.cancel()


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
        is_late = _deadline(scale)
        session = await made.session(guest)
        async with host(target, session, answers=True) as there:
            for number in range(scale.round_trips):
                progress.step(f"round trip {number + 1}")
                if not is_late():
                    await _round_trip(f"probe-{number}", guest, session, there, found)
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
    found.delivered.append(Delivered(max(0.0, came - sent.came), came - sent.sent, met(there.told, sent.told)))


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
