"""An isolate that is replaced: it goes on with its streams for a while, and then cuts them. Or it dies: then nothing of
it goes on."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from dataclasses import dataclass, field
from math import inf
from typing import Any, TypeVar

from simulation.client import Client

T = TypeVar("T")


class IsolateDied(Exception):
    """The isolate died before it replied."""


@dataclass
class Isolate:
    """One isolate. `ends_at`: when it cuts its streams."""

    client: Client
    ends_at: float = inf
    is_dead: bool = False
    # Not sets, whose order is another one in each process: a seed must give the same run.
    _waits: dict[asyncio.Timeout, None] = field(default_factory=dict)
    _calls: dict[asyncio.Task[Any], None] = field(default_factory=dict)

    def end_in(self, seconds: float) -> None:
        """Cuts all streams after `seconds`."""
        self.ends_at = asyncio.get_running_loop().time() + seconds
        for wait in self._waits:
            wait.reschedule(self.ends_at)

    def die(self) -> None:
        """Ends everything that is under way, as `kill -9` does: calls, streams, and work in the background."""
        self.is_dead = True
        self.end_in(0)
        for task in (*self._calls, *self.client.background):
            task.cancel()

    async def run(self, call: Coroutine[Any, Any, T]) -> T:
        """The result of `call`, which runs in this isolate.

        Raises:
            IsolateDied
        """
        if self.is_dead:
            call.close()
            raise IsolateDied
        task = asyncio.get_running_loop().create_task(call)
        self._calls[task] = None
        try:
            return await task
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if caller is not None and caller.cancelling():
                raise
            raise IsolateDied from None
        finally:
            del self._calls[task]

    async def next_chunk(self, chunks: AsyncGenerator[bytes, None]) -> bytes | None:
        """The next chunk of a stream of this isolate, or `None` if the stream has ended or is cut before it."""
        timeout = asyncio.timeout_at(None if self.ends_at == inf else self.ends_at)
        try:
            async with timeout:
                self._waits[timeout] = None
                return await anext(chunks, None)
        except TimeoutError:
            if not timeout.expired():
                raise
            return None
        finally:
            self._waits.pop(timeout, None)
