"""An incremental decoder of Server-Sent Events: bytes, however they are split, to events.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

import re

import msgspec

from waypost_worker.limits import MAX_SERVER_EVENT_BYTES

LINE_END = re.compile(rb"\r\n|\r|\n")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventTooLarge(ValueError):
    """One line or one event is over the limit: buffering it further could fill the isolate's memory."""


class ServerEvent(msgspec.Struct, frozen=True):
    """An event: its name, `message` by default, and its data, with the lines joined by LF."""

    name: str
    data: str


class SseDecoder:
    """The decoder of one stream. An event that no empty line has ended when the stream ends is discarded.

    The fields `id` and `retry` are ignored: they are for clients that reconnect.
    """

    def __init__(self, max_bytes: int = MAX_SERVER_EVENT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._is_start = True
        self._after_cr = False
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._name = b""
        self._held_bytes = 0

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Returns the events that end in `chunk`.

        Raises:
            EventTooLarge: the current line, or the current event's data, is over the limit. The decoder is unusable
                then.
        """
        if not chunk:
            return []
        # A CR ends its line immediately: waiting for an LF that may follow would delay the last event.
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
        self._after_cr = chunk.endswith(b"\r")
        *ended, begun = LINE_END.split(chunk)
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
        self._held_bytes += len(part)
        if self._held_bytes > self._max_bytes:
            raise EventTooLarge(f"more than {self._max_bytes} bytes in one event")
        self._line.append(part)

    def _end_line(self, line: bytes) -> ServerEvent | None:
        size = len(line)
        if self._is_start:
            self._is_start = False
            line = line.removeprefix(BYTE_ORDER_MARK)
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        else:
            if name == b"event":
                self._name = value
            self._held_bytes -= size
        return None

    def _dispatch(self) -> ServerEvent | None:
        data, name = self._data, self._name
        self._data, self._name, self._held_bytes = [], b"", 0
        if not data:
            return None
        # No UTF-8 character contains a line end, so whole lines can be decoded separately.
        return ServerEvent(name.decode(errors="replace") or "message", b"\n".join(data).decode(errors="replace"))
