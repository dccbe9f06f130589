"""An incremental decoder of Server-Sent Events: bytes, however they are cut, to events.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

import re

import msgspec

from waypost.errors import TransportError

MAX_EVENT_BYTES = 12 * 1024 * 1024
"""One event: a result of 8 MiB, the largest that the server takes, and room for what is around it."""

_LINE_END = re.compile(rb"\r\n|\r|\n")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Event(msgspec.Struct, frozen=True):
    """An event: its name, `message` by default, its data with the lines joined by LF, and the id to resume after."""

    name: str
    data: str
    id: str


class SseDecoder:
    """The decoder of one stream. An event that no empty line has ended when the stream ends is dropped.

    `last_id`: what to send as Last-Event-ID. `retry`: the seconds that the server asked for; `None` if it did not.
    """

    def __init__(self, max_bytes: int = MAX_EVENT_BYTES) -> None:
        self.last_id = ""
        self.retry: float | None = None
        self._max_bytes = max_bytes
        self._is_start = True
        self._after_cr = False
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._name = b""
        self._id = ""
        self._held = 0

    def feed(self, chunk: bytes) -> list[Event]:
        """Returns the events that end in `chunk`. Raises `TransportError` for one that is over the limit."""
        if not chunk:
            return []
        # A CR ends its line immediately: to wait for an LF that may follow would delay the last event.
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
        self._after_cr = chunk.endswith(b"\r")
        *ended, begun = _LINE_END.split(chunk)
        events = []
        for end in ended:
            self._hold(end)
            line = b"".join(self._line)
            self._line.clear()
            if event := self._end_line(line):
                events.append(event)
        self._hold(begun)
        return events

    def _hold(self, part: bytes) -> None:
        self._held += len(part)
        if self._held > self._max_bytes:
            raise TransportError(f"An event has more than {self._max_bytes} bytes.")
        self._line.append(part)

    def _end_line(self, line: bytes) -> Event | None:
        size = len(line)
        if self._is_start:
            self._is_start = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            return None
        self._held -= size
        if name == b"event":
            self._name = value
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode(errors="replace")
        elif name == b"retry" and re.fullmatch(rb"[0-9]{1,12}", value):
            self.retry = int(value) / 1000
        return None

    def _dispatch(self) -> Event | None:
        data, name = self._data, self._name
        self._data, self._name, self._held = [], b"", 0
        self.last_id = self._id
        if not data:
            return None
        # No UTF-8 character contains a line end, so whole lines can be decoded separately.
        text = b"\n".join(data).decode(errors="replace")
        return Event(name.decode(errors="replace") or "message", text, self._id)
