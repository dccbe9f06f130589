"""A reader of event streams that owes nothing to the product: Server-Sent Events by the letter of the standard, NDJSON.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

import codecs
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar

import httpx

T = TypeVar("T")

_LINE_END = re.compile("\r\n|\r|\n")

JSON_TYPE = {"Content-Type": "application/json"}

PATIENCE_SECONDS = 30.0
"""How long a stream may bring nothing before a test gives it up: it grows with what comes, as a slow machine needs."""
LONGEST_SECONDS = 120.0
"""How long a test waits for anything that must come, however much else comes meanwhile."""


@dataclass(frozen=True)
class StreamEvent:
    """One event as a client sees it. `at` is `time.monotonic()` when it had arrived."""

    name: str
    text: str
    id: str
    at: float = field(compare=False, default=0.0)

    @property
    def data(self) -> Any:
        """What the text says as JSON; integers of any size stay integers."""
        return json.loads(self.text)


class Decoder(Protocol):
    """Takes bytes in chunks of any size; returns whole events."""

    comments: list[str]
    last_id: str
    retry_ms: int | None

    def feed(self, piece: bytes) -> Iterator[StreamEvent]: ...


class SseDecoder:
    """The standard's parser. `last_id` is what to come back with, `retry_ms` when."""

    def __init__(self, last_id: str = "") -> None:
        self.comments: list[str] = []
        self.last_id = last_id
        self.retry_ms: int | None = None
        # "UTF-8 decode": a byte order mark in front is dropped, what is not UTF-8 is replaced.
        self._utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._is_first = True
        self._after_cr = False
        self._line: list[str] = []
        self._name = ""
        self._data: list[str] = []

    def feed(self, piece: bytes) -> Iterator[StreamEvent]:
        """The events that `piece` completes."""
        text = self._utf8.decode(piece)
        if self._is_first and text:
            self._is_first = False
            text = text.removeprefix("\ufeff")
        if self._after_cr and text:
            # A line ends at CR, LF or CRLF; this may be the other half of the last one.
            self._after_cr = False
            text = text.removeprefix("\n")
        self._after_cr = self._after_cr or text.endswith("\r")
        *ends, rest = _LINE_END.split(text)
        for end in ends:
            line = "".join([*self._line, end])
            self._line = []
            if line:
                self._field(line)
            elif event := self._dispatch():
                yield event
        self._line.append(rest)

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "":
            self.comments.append(value)
        elif name == "event":
            self._name = value
        elif name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self.last_id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_ms = int(value)

    def _dispatch(self) -> StreamEvent | None:
        name, data = self._name or "message", self._data
        self._name, self._data = "", []
        if not data:
            return None
        return StreamEvent(name, "\n".join(data), self.last_id, time.monotonic())


class NdjsonDecoder:
    """One JSON object a line, `{"event", "id", "data"}`; heartbeats and comments have no data."""

    def __init__(self, last_id: str = "") -> None:
        self.comments: list[str] = []
        self.last_id = last_id
        self.retry_ms: int | None = None
        self._rest = b""

    def feed(self, piece: bytes) -> Iterator[StreamEvent]:
        """The events that `piece` completes."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            item = json.loads(line.decode())
            self.last_id = item.get("id", self.last_id)
            self.retry_ms = item.get("retry", self.retry_ms)
            if "data" in item:
                # `data` once more as text, so that both formats are compared as what they are: JSON.
                yield StreamEvent(item["event"], json.dumps(item["data"]), self.last_id, time.monotonic())
            else:
                self.comments.append(item.get("comment", item["event"]))


class NoEvent(AssertionError):
    """What a test waited for did not come."""


class EventStream:
    """One connection, read by a thread of its own from the first byte on.

    `events` holds all that came, `raw` the bytes. `next` hands out one after the other. Refusals are not raised: see
    `status`, and `body` for what was said. With `content`, which is JSON, it is a POST.
    """

    def __init__(
        self,
        url: str,
        params: Mapping[str, str],
        headers: Mapping[str, str],
        *,
        ndjson: bool = False,
        last_event_id: str = "",
        content: bytes | None = None,
    ) -> None:
        self._request = (url, params, headers, ndjson)
        self._decoder: Decoder = NdjsonDecoder(last_event_id) if ndjson else SseDecoder(last_event_id)
        accept = {"Accept": "application/x-ndjson" if ndjson else "text/event-stream"}
        resume = {"Last-Event-ID": last_event_id} if last_event_id else {}
        self._client = httpx.Client(timeout=LONGEST_SECONDS)
        self.events: list[StreamEvent] = []
        self.raw = b""
        self.is_over = False
        self._came_at = time.monotonic()
        self._taken = 0
        self._successors: list[EventStream] = []
        self._news = threading.Condition()
        try:
            request = self._client.build_request(
                "GET" if content is None else "POST",
                url,
                params=params,
                headers={**({} if content is None else JSON_TYPE), **accept, **headers, **resume},
                content=content,
            )
            self._response = self._client.send(request, stream=True)
        except BaseException:
            self._client.close()
            raise
        self.status = self._response.status_code
        self.headers = self._response.headers
        self.body = self._response.read() if self.status != 200 else b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def last_id(self) -> str:
        """What to come back with."""
        return self._decoder.last_id

    @property
    def retry_ms(self) -> int | None:
        """How long the server wants a client to wait before it comes back."""
        return self._decoder.retry_ms

    @property
    def comments(self) -> list[str]:
        """Comments and heartbeats that came."""
        return self._decoder.comments

    @property
    def has_next(self) -> bool:
        """Whether something came that was not taken yet."""
        return self._taken < len(self.events)

    def next(self, name: str | None = None, seconds: float = PATIENCE_SECONDS) -> StreamEvent:
        """The next event (called `name`; others are passed over). Raises `NoEvent` if the stream ends before it, brings
        nothing for so many seconds, or something else for `LONGEST_SECONDS`."""
        if event := self._wait(lambda: self._take(name), seconds):
            return event
        raise NoEvent(f"no {name or 'event'}; {'the stream ended after' if self.is_over else 'only'} {self}")

    def take(self, count: int, name: str | None = None) -> list[StreamEvent]:
        """The next `count` events (called `name`)."""
        return [self.next(name) for _ in range(count)]

    def wait_over(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the other side has closed the stream. Raises `NoEvent` as `next` does."""
        if not self._wait(lambda: self.is_over, seconds):
            raise NoEvent(f"the stream goes on: {self}")

    def reopened(self) -> EventStream:
        """A new connection that comes back with `last_id`, as an EventSource does."""
        url, params, headers, ndjson = self._request
        self._successors.append(EventStream(url, params, headers, ndjson=ndjson, last_event_id=self.last_id))
        return self._successors[-1]

    def close(self) -> None:
        """Go away in the middle, with the connections that were reopened from this one. May be called again."""
        for successor in self._successors:
            successor.close()
        if not self.is_over:
            stream = self._response.extensions["network_stream"]
            with suppress(OSError):
                stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __str__(self) -> str:
        shown = [f"{event.name} {event.text[:120]}" for event in self.events[-20:]]
        return f"{len(self.events)} events: {shown}, comments {self.comments[-5:]}"

    def _take(self, name: str | None) -> StreamEvent | None:
        while self._taken < len(self.events):
            self._taken += 1
            if name in (None, self.events[self._taken - 1].name):
                return self.events[self._taken - 1]
        return None

    def _wait(self, look: Callable[[], T | None], silence_seconds: float) -> T | None:
        """What `look` returns as soon as that is true, or nothing once the stream is over or silent for so long."""
        begun = time.monotonic()
        with self._news:
            while not (found := look()) and not self.is_over:
                silent_since = max(begun, self._came_at)
                left = min(silent_since + silence_seconds, begun + LONGEST_SECONDS) - time.monotonic()
                if left <= 0:
                    break
                self._news.wait(left)
            return found

    def _read(self) -> None:
        try:
            if self.status == 200:
                for piece in self._response.iter_bytes():
                    events = list(self._decoder.feed(piece))
                    with self._news:
                        self.raw += piece
                        self.events += events
                        self._came_at = time.monotonic()
                        self._news.notify_all()
        except (httpx.TransportError, httpx.StreamError, OSError):
            # The connection broke, here or there; what came before it counts.
            pass
        finally:
            with self._news:
                self.is_over = True
                self._news.notify_all()
            self._response.close()
            self._client.close()
