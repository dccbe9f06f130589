"""Bodies that come as a script says, and the alarms that watch them."""

import asyncio
from collections.abc import Callable

Script = list[tuple[float, bytes | None]]
"""Seconds to wait, and the bytes that come then; `None` is the end."""


class ScriptedBody:
    """A body that arrives as its script says. It hangs after a script without an end."""

    def __init__(self, script: Script) -> None:
        self.is_given_up = False
        self.is_read = 0
        self._script = iter(script)
        self._waiting: asyncio.Task[bytes | None] | None = None

    async def read(self) -> bytes | None:
        self.is_read += 1
        self._waiting = asyncio.ensure_future(self._next())
        await asyncio.wait({self._waiting})
        return None if self._waiting.cancelled() else self._waiting.result()

    def give_up(self) -> None:
        self.is_given_up = True
        assert self._waiting is not None
        self._waiting.cancel()

    async def _next(self) -> bytes | None:
        seconds, piece = next(self._script, (10**6, None))
        await asyncio.sleep(seconds)
        if piece == b"broken":
            raise ConnectionError("it broke off")
        return piece


class LoopAlarm:
    """Alarms of the event loop; `ringing` are those that were not taken back."""

    def __init__(self) -> None:
        self.ringing = 0
        self.set_in_all = 0

    def set(self, seconds: float, ring: Callable[[], None]) -> Callable[[], None]:
        self.ringing += 1
        self.set_in_all += 1
        handle = asyncio.get_running_loop().call_later(seconds, ring)

        def unset() -> None:
            self.ringing -= 1
            handle.cancel()

        return unset
