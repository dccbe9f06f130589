"""A reader of event streams, written from the standard and from nothing of Waypost's.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

import codecs
from dataclasses import dataclass


@dataclass(frozen=True)
class Dispatched:
    """What an EventSource would hand to its listeners."""

    type: str
    data: str
    last_event_id: str


class SseParser:
    """Takes the bytes of a stream in chunks of any size. `events` and `comments` are those so far."""

    def __init__(self) -> None:
        self.events: list[Dispatched] = []
        self.comments: list[str] = []
        self.retry_ms: int | None = None
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._line: list[str] = []
        self._is_start = True
        self._after_cr = False
        self._data = ""
        self._type = ""
        self._id = ""

    def feed(self, chunk: bytes) -> None:
        """The next bytes of the stream."""
        for character in self._decode(chunk):
            if self._is_start:
                self._is_start = False
                if character == "\ufeff":
                    continue
            if character == "\n" and self._after_cr:
                self._after_cr = False
                continue
            self._after_cr = character == "\r"
            if character in "\r\n":
                self._end_line("".join(self._line))
                self._line.clear()
            else:
                self._line.append(character)

    def _end_line(self, line: str) -> None:
        if not line:
            self._dispatch()
        elif line.startswith(":"):
            self.comments.append(line[1:].removeprefix(" "))
        else:
            name, _, value = line.partition(":")
            self._field(name, value.removeprefix(" "))

    def _field(self, name: str, value: str) -> None:
        if name == "event":
            self._type = value
        elif name == "data":
            self._data += value + "\n"
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_ms = int(value)

    def _dispatch(self) -> None:
        if self._data:
            self.events.append(Dispatched(self._type or "message", self._data.removesuffix("\n"), self._id))
        self._data = self._type = ""


def parse_sse(stream: bytes) -> list[Dispatched]:
    """The events of a whole stream."""
    parser = SseParser()
    parser.feed(stream)
    return parser.events
