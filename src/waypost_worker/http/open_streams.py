"""The streams and waits that are open in an isolate, bounded for each session, for each address and in total.

Each has a place. It is freed when the stream ends or its client leaves. Where the platform ends an invocation without
telling its code, nothing frees the place; so one whose stream is long overdue counts as lost, as a wakeup does.
"""

from collections.abc import Callable
from typing import Self

from waypost_worker.clock import Clock
from waypost_worker.errors import Busy, TooManyStreams
from waypost_worker.http.loads import Loads
from waypost_worker.limits import (
    HEARTBEAT_SECONDS,
    MAX_STREAMS_PER_ADDRESS,
    MAX_STREAMS_PER_ISOLATE,
    MAX_STREAMS_PER_SESSION,
)
from waypost_worker.security.client_address import rate_limit_key

LATE_MS = 60_000
"""A stream or wait that is later than this never goes on."""

MAX_UNREAD_MS = 30 * 60_000
"""How long a client may take to read one chunk; longer than any stream lasts."""


class Place:
    """The place of one stream or wait. A context manager that frees it, unless a stream has taken it over."""

    __slots__ = ("_clock", "_free", "_loads", "address", "code", "is_streaming", "lost_ms")

    def __init__(
        self, code: str | None, address: str, clock: Clock, free: Callable[["Place"], None], loads: Loads | None
    ) -> None:
        self.code = code
        self.address = address
        self.is_streaming = False
        self.lost_ms = 0
        self._clock = clock
        self._free = free
        self._loads = loads

    def expect(self, seconds: float) -> None:
        """Its owner will show a sign of life within `seconds`, or is lost."""
        self.lost_ms = self._clock.now_ms() + round(seconds * 1000) + LATE_MS

    def hold(self) -> None:
        """A chunk was handed to the client, which may take long to read it."""
        self.lost_ms += MAX_UNREAD_MS

    def free(self) -> None:
        """Frees the place; may be called again. What a stream has read from KV has been handed over."""
        self._free(self)
        if self.is_streaming and self._loads is not None:
            self._loads.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.is_streaming:
            self.free()


class OpenStreams:
    """One per isolate."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._places: set[Place] = set()
        self._by_code: dict[str, int] = {}
        self._by_address: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._places)

    def open(
        self,
        code: str | None,
        address: str | None,
        seconds: float = HEARTBEAT_SECONDS,
        loads: Loads | None = None,
    ) -> Place:
        """A place for a stream or wait of the session `code` (`None`: of none), for a caller from `address`, that shows
        a sign of life within `seconds`.

        Raises:
            TooManyStreams: the session or the address has as many as it may have.
            Busy: the isolate has.
        """
        key = rate_limit_key(address)
        if self._is_full(code, key):
            self._free_lost()
            self._check(code, key)
        place = Place(code, key, self._clock, self._free, loads)
        place.expect(seconds)
        self._places.add(place)
        self._by_address[key] = self._by_address.get(key, 0) + 1
        if code is not None:
            self._by_code[code] = self._by_code.get(code, 0) + 1
        return place

    def _is_full(self, code: str | None, key: str) -> bool:
        return (
            self._by_address.get(key, 0) >= MAX_STREAMS_PER_ADDRESS
            or (code is not None and self._by_code.get(code, 0) >= MAX_STREAMS_PER_SESSION)
            or len(self._places) >= MAX_STREAMS_PER_ISOLATE
        )

    def _check(self, code: str | None, key: str) -> None:
        advice = "Close some, or share one: a stream carries everything of its session."
        if code is not None and self._by_code.get(code, 0) >= MAX_STREAMS_PER_SESSION:
            raise TooManyStreams(f"This session has {MAX_STREAMS_PER_SESSION} open streams and waits. {advice}")
        if self._by_address.get(key, 0) >= MAX_STREAMS_PER_ADDRESS:
            raise TooManyStreams(f"Your address has {MAX_STREAMS_PER_ADDRESS} open streams and waits. {advice}")
        if len(self._places) >= MAX_STREAMS_PER_ISOLATE:
            raise Busy("Too many streams are open here; try again.")

    def _free(self, place: Place) -> None:
        if place not in self._places:
            return
        self._places.remove(place)
        _count_down(self._by_address, place.address)
        if place.code is not None:
            _count_down(self._by_code, place.code)

    def _free_lost(self) -> None:
        now = self._clock.now_ms()
        for place in [place for place in self._places if place.lost_ms <= now]:
            self._free(place)


def _count_down(counts: dict[str, int], key: str) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
