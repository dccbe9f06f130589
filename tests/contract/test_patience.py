"""How long the tests' reader of streams waits: as long as something comes, however slow the machine is."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Self

import pytest

from tests.support import sse_client
from tests.support.sse_client import LONGEST_SECONDS, PATIENCE_SECONDS, EventStream, NoEvent, SseDecoder, StreamEvent


class PlayedStream(EventStream):
    """A stream without a server: one event arrives at each of `times`, with the last one it is over. It is its own
    lock, and waiting for news is what makes its time pass."""

    def __init__(self, times: Iterable[float], *, ends: bool = True) -> None:
        self.now = 0.0
        self.events: list[StreamEvent] = []
        self.is_over = False
        self._times = list(times)
        self._ends = ends
        self._taken = 0
        self._came_at = 0.0
        self._decoder = SseDecoder()
        self._news = self  # type: ignore[assignment]

    def wait(self, seconds: float) -> None:
        if not self._times or self._times[0] > self.now + seconds:
            self.now += seconds
            return
        self.now = self._came_at = self._times.pop(0)
        self.events.append(StreamEvent("delta", str(self.now), ""))
        self.is_over = self._ends and not self._times

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


def played(monkeypatch: pytest.MonkeyPatch, times: Iterable[float], *, ends: bool = True) -> PlayedStream:
    stream = PlayedStream(times, ends=ends)
    monkeypatch.setattr(sse_client, "time", SimpleNamespace(monotonic=lambda: stream.now))
    return stream


def test_a_stream_on_which_something_comes_is_heard_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = played(monkeypatch, range(0, int(3 * PATIENCE_SECONDS), int(PATIENCE_SECONDS) - 1))
    stream.wait_over()
    assert stream.now > 2 * PATIENCE_SECONDS


def test_a_stream_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = played(monkeypatch, [5, 10], ends=False)
    with pytest.raises(NoEvent, match="the stream goes on: 2 events"):
        stream.wait_over()
    assert stream.now == 10 + PATIENCE_SECONDS


def test_a_stream_that_never_ends_is_given_up_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = played(monkeypatch, range(1000))
    with pytest.raises(NoEvent, match="the stream goes on"):
        stream.wait_over()
    assert stream.now == LONGEST_SECONDS


def test_an_event_that_does_not_come_is_waited_for_while_others_do(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = played(monkeypatch, range(0, 50, 10), ends=False)
    with pytest.raises(NoEvent, match="no done; only 5 events"):
        stream.next("done")
    assert stream.now == 40 + PATIENCE_SECONDS
    assert not stream.has_next


def test_what_has_come_is_had_without_waiting_also_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = played(monkeypatch, [1, 2])
    stream.wait_over()
    assert [event.text for event in stream.take(2)] == ["1", "2"]
    with pytest.raises(NoEvent, match="the stream ended after 2 events"):
        stream.next()
    assert stream.now == 2
