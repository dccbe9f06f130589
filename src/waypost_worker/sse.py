"""Events, and their two wire formats: Server-Sent Events and newline-delimited JSON.

https://html.spec.whatwg.org/multipage/server-sent-events.html — a line ends at CR, LF or CRLF, so data is JSON, in
which both occur only escaped (here not at all: it is encoded without white space). Some clients dispatch a block that
has only `retry` or `id` as an empty event; so `retry` is sent as a field of an event.
"""

import re

import msgspec

# A client ignores an id that contains NUL.
_BREAK = re.compile(r"[\r\n\0]")


class Event(msgspec.Struct, frozen=True):
    """One event: `data` is its JSON text; `id` is the cursor to resume after; `is_replay` repeats the data's `replay`.

    Each field is one line: the text behind a line break would be read as another field, or another event.
    """

    name: str
    data: bytes
    id: str | None = None
    is_replay: bool = False
    retry_ms: int | None = None

    def __post_init__(self) -> None:
        _check_lines(self.name, self.id or "")
        if b"\n" in self.data or b"\r" in self.data:
            raise ValueError("the data of an event must be JSON without line breaks")


class Comment(msgspec.Struct, frozen=True):
    """A keep-alive that no event handler sees; `text` is one line."""

    text: str

    def __post_init__(self) -> None:
        _check_lines(self.text)


def _check_lines(*texts: str) -> None:
    if any(map(_BREAK.search, texts)):
        raise ValueError("a field of an event must be one line")


HEARTBEAT = Comment("heartbeat")


class _Line(msgspec.Struct, omit_defaults=True):
    event: str
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    id: str | None = None
    retry: int | None = None
    comment: str | None = None


def encode_sse(item: Event | Comment) -> bytes:
    """The block of an event with its empty line; a comment is one line.

    An empty line after a comment would dispatch an empty event in clients that keep the last id as part of the next
    event, as httpx-sse does.
    """
    if isinstance(item, Comment):
        return f": {item.text}\n".encode()
    head = f"event: {item.name}\n"
    if item.retry_ms is not None:
        head += f"retry: {item.retry_ms}\n"
    if item.id is not None:
        head += f"id: {item.id}\n"
    return b"%sdata: %s\n\n" % (head.encode(), item.data)


def encode_ndjson(item: Event | Comment) -> bytes:
    """The line of `item`: `{"event", "id", "data"}`; a comment is an event without data (`heartbeat` or `comment`)."""
    if item == HEARTBEAT:
        return b'{"event":"heartbeat"}\n'
    if isinstance(item, Comment):
        return msgspec.json.encode(_Line("comment", comment=item.text)) + b"\n"
    return encode_event(item) + b"\n"


def encode_event(event: Event) -> bytes:
    """`event` as one JSON object, as in the response to a poll."""
    return msgspec.json.encode(_Line(event.name, msgspec.Raw(event.data), event.id, event.retry_ms))
