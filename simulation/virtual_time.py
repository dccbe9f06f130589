"""Virtual time, which passes only when every task waits: no real sleeps, no wall clock, the same order at every run.

`run` drives a coroutine on an event loop whose clock jumps to the next timer as soon as no task can run. All of asyncio
works on it (tasks, `asyncio.sleep`, time-outs) except I/O, which tests of the domain do not have.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z."""


class Stuck(AssertionError):
    """Every task waits, and no timer is set."""


class _JumpingSelector(selectors.BaseSelector):
    """Moves the loop's clock instead of waiting for files."""

    def __init__(self) -> None:
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck("no task can go on and no timer is set")
        if timeout > 0:
            # Up to a whole microsecond, so that no timer is missed by a rounding error.
            self.now = round(self.now + timeout + 1e-6, 6)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, 0, None)

    def get_map(self) -> Any:
        return {}

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        raise KeyError(fileobj)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time; `time()` is in seconds and starts at 0."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


class VirtualClock:
    """The clock port on the running loop's virtual time, wrong by `skew_ms`."""

    def __init__(self, skew_ms: int = 0) -> None:
        self.skew_ms = skew_ms

    def now_ms(self) -> int:
        try:
            elapsed = asyncio.get_running_loop().time()
        except RuntimeError:
            elapsed = 0.0
        return START_MS + self.skew_ms + round(elapsed * 1000)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def wakeup(self) -> "LoopWakeup":
        return LoopWakeup()


class LoopWakeup:
    """The wakeup of the running event loop, in virtual or real time."""

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: asyncio.Future[None] | None = None

    def set(self) -> None:
        self._is_set = True
        self._wake()

    async def wait(self, seconds: float) -> None:
        if not self._is_set:
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            timer = loop.call_later(seconds, self._wake)
            try:
                await self._waiting
            finally:
                timer.cancel()
                self._waiting = None
        self._is_set = False

    def is_lost(self) -> bool:
        return False

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs `coroutine` in virtual time from 0. Returns its result."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)
