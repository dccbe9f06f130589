"""Cursors: the position of a message in its queue, and of a reader.

A message's cursor is a UUIDv7 (RFC 9562, section 5.7): 48 bits of milliseconds, so that a sorted list is in order
of time; 12 bits that count inside one isolate's millisecond; 30 random bits; and, where the RFC leaves the bits free,
a 32-bit tag of session and queue. The tag shows without a read that a cursor belongs to another session; it
guards against mix-ups and is no credential.

An event's id is what a client sends when it reconnects: `message[~position][;producer=number]…`. It has the cursor of
the message; the greatest cursor that the reader has been sent, if that is another one (the message became visible
late), so that a reconnect skips nothing and repeats nothing without a flag; and the next number of each producer that
numbers its messages, so that order holds over a reconnect without stored state.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256

import msgspec

from waypost_worker.clock import Clock
from waypost_worker.errors import InvalidCursor
from waypost_worker.limits import MAX_ID_LENGTH, MAX_TRACKED_PRODUCERS
from waypost_worker.random import Random

_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_NEXT_NUMBER = re.compile(rf"([A-Za-z0-9._~-]{{1,{MAX_ID_LENGTH}}})=([1-9][0-9]{{0,15}})")
_CURSOR_LENGTH = 36
_SINCE = "since."
_COUNTER_LIMIT = 1 << 12


# Needed several times in each request of a session, and again in the next one.
@lru_cache(maxsize=4096)
def scope_tag(scope: str) -> int:
    """The 32-bit tag in cursors of `scope`, e.g. `req:K7Q2M9XA`."""
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


def issued_ms(text: str) -> int | None:
    """When the cursor `text` was issued, for whatever scope; `None` if it is no cursor."""
    return cursor_ms(text) if _UUID7.fullmatch(text) else None


def is_cursor(text: str, scope: str) -> bool:
    """Whether `text` is a cursor issued for `scope`."""
    return bool(_UUID7.fullmatch(text)) and int(text[-8:], 16) == scope_tag(scope)


class CursorFactory:
    """Issues cursors that strictly increase within one isolate, even if its clock stands still or steps back.

    `born_ms`: when the isolate began, by its own clock.
    """

    def __init__(self, clock: Clock, random: Random) -> None:
        self.born_ms = clock.now_ms()
        self._clock = clock
        self._random = random
        self._last_ms = 0
        self._counter = 0

    def issue(self, scope: str, after: str = "") -> str:
        """The next cursor for `scope`; greater than all issued before by this factory, and than `after`, a cursor of
        another one, whose clock may be ahead."""
        now = self._clock.now_ms()
        if now > self._last_ms:
            self._last_ms, self._counter = now, 0
        else:
            self._counter += 1
            if self._counter == _COUNTER_LIMIT:
                self._last_ms, self._counter = self._last_ms + 1, 0
        noise = int.from_bytes(self._random.random_bytes(4), "big") >> 2
        cursor = _format(self._last_ms, self._counter, noise, scope_tag(scope))
        # Only this cursor is ahead, not those that follow: a wrong clock must not spread.
        return cursor if cursor > after else _format(cursor_ms(after) + 1, 0, noise, scope_tag(scope))


class EventId(msgspec.Struct, frozen=True):
    """A parsed event id: the cursor of the message, the position of the reader, the next number of each producer, and
    for a guest, `since`: the cursor of the message that it goes on with, if it may not have been sent older ones."""

    message: str
    position: str
    next_numbers: Mapping[str, int] = {}
    since: str = ""

    def __str__(self) -> str:
        place = self.message if self.message == self.position else f"{self.message}~{self.position}"
        # In the form of a producer and its number, which the versions before this field can read too.
        since = f";{_SINCE}{self.since}=1" if self.since else ""
        return place + since + "".join(f";{producer}={number}" for producer, number in self.next_numbers.items())


def message_in(event_id: str) -> str:
    """The cursor of the message in an event's id."""
    return event_id[:_CURSOR_LENGTH]


def parse_event_id(text: str, scope: str) -> EventId:
    """Parses an event's id.

    Raises:
        InvalidCursor: it was not issued for `scope`.
    """
    place, *numbers = text.split(";")
    message, tilde, position = place.partition("~")
    fits = is_cursor(message, scope) and (not tilde or is_cursor(position, scope))
    matches = [_NEXT_NUMBER.fullmatch(number) for number in numbers[: MAX_TRACKED_PRODUCERS + 1]]
    if not fits or len(matches) > MAX_TRACKED_PRODUCERS or None in matches:
        raise InvalidCursor("The cursor was not issued for this session and role; leave it out to start over.")
    numbered = {match[1]: int(match[2]) for match in matches if match}
    since = next((name for name in numbered if is_cursor(name.removeprefix(_SINCE), scope)), "")
    numbered.pop(since, None)
    return EventId(message, position or message, numbered, since.removeprefix(_SINCE))
