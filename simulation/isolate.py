"""An isolate that is replaced: it goes on with its streams for a while, and then cuts them."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from math import inf

from simulation.client import Client


@dataclass
class Isolate:
    """One isolate. `ends_at`: when it cuts its streams."""

    client: Client
    ends_at: float = inf
    _waits: set[asyncio.Timeout] = field(default_factory=set)

    def end_in(self, seconds: float) -> None:
        """Cuts all streams after `seconds`."""
        self.ends_at = asyncio.get_running_loop().time() + seconds
        for wait in self._waits:
            wait.reschedule(self.ends_at)

    async def next_chunk(self, chunks: AsyncGenerator[bytes, None]) -> bytes | None:
        """The next chunk of a stream of this isolate, or `None` if the stream has ended or is cut before it."""
        timeout = asyncio.timeout_at(None if self.ends_at == inf else self.ends_at)
        try:
            async with timeout:
                self._waits.add(timeout)
                return await anext(chunks, None)
        except TimeoutError:
            if not timeout.expired():
                raise
            return None
        finally:
            self._waits.discard(timeout)
