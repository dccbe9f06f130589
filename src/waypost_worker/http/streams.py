"""Responses that are streams: their headers, and the count of those that are open."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, Protocol

from waypost_worker.http.loads import Loads
from waypost_worker.http.messages import Response
from waypost_worker.http.open_streams import Place
from waypost_worker.limits import HEARTBEAT_SECONDS
from waypost_worker.telemetry.record import BROKE, ENDED, LEFT

PIECE_BYTES = 256 * 1024

EVENT_STREAM = "text/event-stream; charset=utf-8"


class StreamCounter(Protocol):
    """Counts the open streams of an isolate."""

    open_streams: int


def stream_response(
    chunks: AsyncGenerator[bytes, None],
    counter: StreamCounter,
    place: Place,
    content_type: str = EVENT_STREAM,
    headers: dict[str, str] | None = None,
) -> Response:
    """A response whose body is `chunks`, counted by `counter` from its first byte until it ends or is closed. It takes
    over `place`, and frees it then.
    """
    place.is_streaming = True
    stream_headers = {
        "Content-Type": content_type,
        # Neither a cache nor a proxy may keep the bytes, compress them or wait for more.
        "Cache-Control": "no-store, no-transform",
        "X-Accel-Buffering": "no",
        **(headers or {}),
    }
    return Response(200, OpenStream(chunks, counter, place), stream_headers)


def in_pieces(body: bytes, loads: Loads) -> AsyncGenerator[bytes, None]:
    """`body` as a stream of small pieces, so that only one at a time is there twice. `loads` is released after the last
    one, or when the client leaves."""
    return _FreeingStream(_pieces(body, loads), loads.release)


async def _pieces(body: bytes, loads: Loads) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(body), PIECE_BYTES):
        yield body[start : start + PIECE_BYTES]
    loads.release()


class _FreeingStream(AsyncGenerator[bytes, None]):
    """A stream that calls `free` when it is closed, also before its first byte: closing a generator that has not begun
    runs none of its code."""

    def __init__(self, chunks: AsyncGenerator[bytes, None], free: Callable[[], None]) -> None:
        self._chunks = chunks
        self._free = free

    def asend(self, value: None) -> Coroutine[Any, Any, bytes]:
        return self._chunks.asend(value)

    def athrow(self, *error: Any) -> Coroutine[Any, Any, bytes]:
        return self._chunks.athrow(*error)

    async def aclose(self) -> None:
        try:
            await self._chunks.aclose()
        finally:
            self._free()


class _End:
    """The end of a stream, which it reaches once: it frees `place`, and calls `tell` with how it ended."""

    __slots__ = ("how", "place", "tell")

    def __init__(self, place: Place) -> None:
        self.place = place
        # Until its generator has begun: its client leaves before the first byte.
        self.how = LEFT
        self.tell: Callable[[str], None] | None = None

    def reach(self) -> None:
        self.place.free()
        if (tell := self.tell) is not None:
            self.tell = None
            tell(self.how)


class OpenStream(_FreeingStream):
    """The body of a response that is a stream, counted by `counter` from its first byte until it ends or is closed. It
    takes over `place`, and frees it then."""

    def __init__(self, chunks: AsyncGenerator[bytes, None], counter: StreamCounter, place: Place) -> None:
        # An object of its own: the generator must not refer to what refers to it.
        self._end = _End(place)
        super().__init__(_counted(chunks, counter, self._end), self._end.reach)

    def when_ended(self, tell: Callable[[str], None]) -> None:
        """Calls `tell` at its end, once, with how it ended: one of `ENDINGS`."""
        self._end.tell = tell


async def _counted(
    chunks: AsyncGenerator[bytes, None], counter: StreamCounter, end: _End
) -> AsyncGenerator[bytes, None]:
    counter.open_streams += 1
    place = end.place
    end.how = BROKE
    try:
        async with aclosing(chunks) as open_chunks:
            place.expect(HEARTBEAT_SECONDS)
            async for chunk in open_chunks:
                place.hold()
                yield chunk
                place.expect(HEARTBEAT_SECONDS)
        end.how = ENDED
    except (GeneratorExit, asyncio.CancelledError):
        end.how = LEFT
        raise
    finally:
        counter.open_streams -= 1
        end.reach()
