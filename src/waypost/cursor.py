"""Cursors: where a message stands in its queue, and how far a reader has come.

A message's cursor is a UUIDv7 (RFC 9562, section 5.7): 48 bits of milliseconds, so that a sorted list is in order
of time; 12 bits that count inside one isolate's millisecond; 30 random bits; and, where the RFC leaves the bits free,
a 32-bit tag of session and queue. The tag makes a cursor of another session recognisable without a store; it guards
against mix-ups, it is no credential.

A reader's position is the greatest cursor it was sent. As an event's id it is that message's cursor or, for a message
that shows up later than its place in the order, `own~greatest`, so that coming back with it skips nothing and repeats
nothing unflagged.
"""

import re
from dataclasses import dataclass
from hashlib import sha256

from waypost.clock import Clock
from waypost.errors import InvalidCursor
from waypost.random import Random

_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_COUNTER_LIMIT = 1 << 12


def scope_tag(scope: str) -> int:
    """The 32 bits that mark cursors of `scope`, e.g. `req:K7Q2M9XA`."""
    return int.from_bytes(sha256(scope.encode()).digest()[:4], "big")


def _format(milliseconds: int, counter: int, noise: int, tag: int) -> str:
    number = milliseconds << 80 | 7 << 76 | counter << 64 | 2 << 62 | noise << 32 | tag
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def first_cursor(scope: str) -> str:
    """The cursor before every message of `scope`."""
    return _format(0, 0, 0, scope_tag(scope))


def cursor_ms(cursor: str) -> int:
    """When the message was accepted, by the clock of the location that accepted it."""
    return int(cursor[:8] + cursor[9:13], 16)


def is_cursor(text: str, scope: str) -> bool:
    """Whether `text` is a cursor issued for `scope`."""
    return bool(_UUID7.fullmatch(text)) and int(text[-8:], 16) == scope_tag(scope)


class CursorFactory:
    """Issues cursors that only ever grow inside one isolate, also when its clock stands still or steps back."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._last_ms = 0
        self._counter = 0

    def issue(self, scope: str) -> str:
        """The next cursor for `scope`; greater than all issued before by this factory."""
        now = self._clock.now_ms()
        if now > self._last_ms:
            self._last_ms, self._counter = now, 0
        else:
            self._counter += 1
            if self._counter == _COUNTER_LIMIT:
                self._last_ms, self._counter = self._last_ms + 1, 0
        noise = int.from_bytes(self._random.random_bytes(4), "big") >> 2
        return _format(self._last_ms, self._counter, noise, scope_tag(scope))


@dataclass(frozen=True, slots=True)
class EventId:
    """What a client sends back: the message it names, and the position of its reader."""

    message: str
    position: str

    def __str__(self) -> str:
        return self.message if self.message == self.position else f"{self.message}~{self.position}"


def parse_event_id(text: str, scope: str) -> EventId:
    """Read an event's id.

    Raises:
        InvalidCursor: it was not issued for `scope`.
    """
    message, tilde, position = text.partition("~")
    if not is_cursor(message, scope) or (tilde and not is_cursor(position, scope)):
        raise InvalidCursor("The cursor was not issued for this session and role; leave it out to start afresh.")
    return EventId(message, position or message)
