"""A session's stream, for its host or a guest: it reconnects with its cursor, notices silence, and ends with the
session."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from waypost._core.effects import Flow, Now, Open, Read, Shut, Sleep
from waypost._core.messages import Reply, Request, refusal
from waypost._core.retrying import Backoff
from waypost._core.sse import SseDecoder
from waypost.errors import ApiError, TransportError, WaypostError, is_transient, retry_after

LOG = logging.getLogger("waypost")

SILENCE_SECONDS = 45.0
"""The server sends a heartbeat every 15 s: after three missed ones the connection is dead."""

STEADY_SECONDS = 5.0
"""A stream that broke sooner does not prove that the server has recovered: the delays go on growing."""

SHORT_RETRY_SECONDS = 1.0
"""A server that ends its streams in turn asks for so little; one that asks for more has a reason."""

_UUID7 = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_CURSOR = re.compile(rf"{_UUID7}(?:~{_UUID7})?(?:;[A-Za-z0-9._~-]{{1,64}}=[1-9][0-9]{{0,15}})*")
_MAX_CURSOR_LENGTH = 4096


class StreamEvent(msgspec.Struct, frozen=True):
    """An event of a stream."""

    name: str
    data: dict[str, Any]


class Waiting(msgspec.Struct, frozen=True):
    """The connection is lost, and there will be another one after `delay` seconds."""

    delay: float
    error: WaypostError | None


class Ended(msgspec.Struct, frozen=True):
    """The stream is over for good: the session's end, another host (`superseded`), or an error that repeats can't
    help."""

    reason: str
    error: WaypostError | None = None


Receive: TypeAlias = Callable[[StreamEvent | Waiting], Flow[bool]]


def is_cursor(text: str) -> bool:
    """Whether a text can be a cursor: no other text of a server is kept and sent back."""
    return len(text) < _MAX_CURSOR_LENGTH and _CURSOR.fullmatch(text) is not None


class Listener:
    """One stream over as many connections as it takes. `open`: the request for a cursor. `until`: a monotonic time at
    which it gives up. `cursor`: where it is."""

    def __init__(self, open: Callable[[str], Request], cursor: str = "", until: float | None = None) -> None:
        self._open = open
        self.cursor = cursor
        self._until = until
        self._backoff = Backoff(1.0, 30.0)
        self._is_online = False
        self._continues = False

    def run(self, receive: Receive) -> Flow[Ended | None]:
        """Passes each event to `receive`, which returns whether that is enough. Returns `None` then, and when the time
        is over."""
        while True:
            began: float = yield Now()
            if self._until is not None and began >= self._until:
                return None
            error: WaypostError | None = None
            self._is_online = False
            try:
                is_over, end = yield from self._connect(receive)
            except WaypostError as failure:
                error, is_over, end = failure, False, None
            yield Shut()
            if is_over:
                return end
            if isinstance(error, ApiError) and not is_transient(error) and not self._forgets(error):
                return Ended(error.code, error)
            ended: float = yield Now()
            if self._must_pause(error, is_steady=ended - began >= STEADY_SECONDS):
                yield from self._pause(error, receive)

    def _connect(self, receive: Receive) -> Flow[tuple[bool, Ended | None]]:
        """One connection, to its end. Returns whether there is to be no other one, and why."""
        reply: Reply = yield Open(self._open(self.cursor), SILENCE_SECONDS)
        if reply.status != 200:
            raise refusal(reply, time.time())
        if not reply.headers.get("content-type", "").startswith("text/event-stream"):
            raise TransportError("What replied is not a stream of Waypost.")
        decoder = SseDecoder()
        while True:
            chunk: bytes | None = yield Read(self._until)
            if chunk is None:
                return False, None
            if chunk == b"":
                return True, None
            for event in decoder.feed(chunk):
                data = _data_of(event.name, event.data)
                if event.name == "end":
                    return True, Ended(str(data.get("reason", "ended")))
                if event.name == "superseded":
                    # It must not come back by itself: two hosts would take the session from each other for ever.
                    return True, Ended("superseded")
                self._is_online = self._is_online or event.name == "ready"
                if (yield from receive(StreamEvent(event.name, data))):
                    return True, None
                # After each event was received: what comes behind it is sent again if the connection breaks here.
                if is_cursor(event.id):
                    self.cursor = event.id
            if decoder.retry is not None:
                self._backoff.base = decoder.retry

    def _must_pause(self, error: WaypostError | None, *, is_steady: bool) -> bool:
        if is_steady:
            self._backoff.reset()
        # Not twice, if it was short: a server that ends each stream immediately is not asked without a pause.
        is_quick = error is None and self._is_online and self._backoff.base <= SHORT_RETRY_SECONDS
        self._continues = is_quick and (is_steady or not self._continues)
        return not self._continues

    def _pause(self, error: WaypostError | None, receive: Receive) -> Flow[None]:
        delay = self._backoff.next(retry_after(error))
        yield from receive(Waiting(delay, error))
        if self._until is not None:
            now: float = yield Now()
            delay = min(delay, max(0.0, self._until - now))
        yield Sleep(delay)

    def _forgets(self, error: ApiError) -> bool:
        """Drops a cursor that the server refuses, once: without one, nothing is skipped."""
        if error.code != "invalid_cursor" or not self.cursor:
            return False
        self.cursor = ""
        return True


def _data_of(name: str, text: str) -> dict[str, Any]:
    try:
        data = msgspec.json.decode(text)
    except msgspec.DecodeError:
        data = None
    if not isinstance(data, dict):
        LOG.warning("an event of kind %r is not a JSON object, and was ignored", name)
        return {}
    return data
