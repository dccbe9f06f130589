"""Events, and their two wire formats: Server-Sent Events and newline-delimited JSON.

https://html.spec.whatwg.org/multipage/server-sent-events.html — a line ends at CR, LF or CRLF, so data is JSON, in
which both can only stand escaped (or, here, not at all: it is encoded without white space). A block that has only
`retry` or `id` is dispatched as an empty event by some clients; so `retry` travels inside an event.
"""

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Event:
    """One event: `data` is its JSON text; `id` is what to come back with; `is_replay` repeats what the data says."""

    name: str
    data: bytes
    id: str | None = None
    is_replay: bool = False
    retry_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """A sign of life that no handler sees; `text` is one line."""

    text: str


HEARTBEAT = Comment("heartbeat")


class _Line(msgspec.Struct, omit_defaults=True):
    event: str
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    id: str | None = None
    retry: int | None = None
    comment: str | None = None


def encode_sse(item: Event | Comment) -> bytes:
    """The block of `item`, its empty line included."""
    if isinstance(item, Comment):
        return f": {item.text}\n\n".encode()
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
    """`event` as one JSON object, as a poll returns it."""
    return msgspec.json.encode(_Line(event.name, msgspec.Raw(event.data), event.id, event.retry_ms))
