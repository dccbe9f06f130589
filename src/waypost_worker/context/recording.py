"""The recording of one request, which is complete when its response, its stream and its background work have ended."""

from collections.abc import Callable, Coroutine, Generator
from typing import Any

from waypost_worker.clock import Clock
from waypost_worker.http.messages import Response
from waypost_worker.http.streams import OpenStream
from waypost_worker.kv.metered import MeteredKv
from waypost_worker.telemetry.observer import Observer
from waypost_worker.telemetry.record import RequestRecord

Background = Callable[[Coroutine[Any, Any, None]], None]


class _Work(Coroutine[Any, Any, None]):
    """`work`, and a call of `tell` when it has ended, in whatever way.

    No async function that awaits `work`: closed or cancelled before it has begun, it would leave `work` as it is.
    """

    def __init__(self, work: Coroutine[Any, Any, None], tell: Callable[[], None]) -> None:
        self._work = work
        self._tell: Callable[[], None] | None = tell

    def send(self, value: Any) -> Any:
        try:
            return self._work.send(value)
        except BaseException:
            self._end()
            raise

    def throw(self, *error: Any) -> Any:
        try:
            return self._work.throw(*error)
        except BaseException:
            self._end()
            raise

    def close(self) -> None:
        self._work.close()
        self._end()

    def __await__(self) -> Generator[Any, Any, None]:
        try:
            yield from self._work.__await__()
        finally:
            self._end()

    def _end(self) -> None:
        if (tell := self._tell) is not None:
            self._tell = None
            tell()


class Recording:
    """Fills `record`, and passes it to `observer` once. `meter`: the store of the request."""

    def __init__(self, record: RequestRecord, observer: Observer, meter: MeteredKv, clock: Clock) -> None:
        self.record = record
        self._observer = observer
        self._meter = meter
        self._clock = clock
        self._open_parts = 1

    def in_background(self, start: Background) -> Background:
        """`start`, which runs work in the background, with the work as a part of the request."""

        def background(work: Coroutine[Any, Any, None]) -> None:
            self._open_parts += 1
            start(_Work(work, self._part_ended))

        return background

    def answered(self, response: Response) -> None:
        """The request has this response, perhaps a stream that goes on."""
        self.record.status = response.status
        # A stream may set its code later.
        self.record.code = response.code or self.record.code
        if isinstance(response.body, OpenStream):
            response.body.when_ended(self._stream_ended)
        else:
            self._response_ended()

    def _stream_ended(self, how: str) -> None:
        self.record.ended = how
        self._response_ended()

    def _response_ended(self) -> None:
        self.record.ms = max(self._clock.now_ms() - self.record.started_ms, 0)
        self._part_ended()

    def _part_ended(self) -> None:
        self._open_parts -= 1
        if self._open_parts:
            return
        record, meter = self.record, self._meter
        record.kv_ms = meter.elapsed_ms
        record.reads, record.writes, record.deletes, record.lists = meter.by_kind
        record.read_bytes, record.written_bytes = meter.read_bytes, meter.written_bytes
        self._observer.observe(record)
