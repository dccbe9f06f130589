"""Large values on their way from KV to a client: each request's share of what an isolate may hold of them.

A value is held from before it is read until its last byte is handed over. A reader for which there is no room waits for
its turn: others hold theirs only as long as a client takes to read it.
"""

from waypost_worker.clock import Clock
from waypost_worker.errors import Busy
from waypost_worker.http.body_budget import BodyBudget
from waypost_worker.limits import LOAD_PATIENCE_SECONDS, MAX_BODY_BYTES

RETRY_SECONDS = 0.2


class Loads:
    """The large values that one request holds."""

    def __init__(self, budget: BodyBudget, address: str | None, clock: Clock) -> None:
        self._share = budget.share(address)
        self._clock = clock
        self._holds = 0

    async def take(self, size: int) -> None:
        """Counts `size` bytes that are about to be read. A small size is not counted: many of them fit beside the rest.

        Raises:
            Busy: there is no room, and none was freed for some seconds.
        """
        if size <= MAX_BODY_BYTES:
            return
        give_up_ms = self._clock.now_ms() + LOAD_PATIENCE_SECONDS * 1000
        while True:
            try:
                self._share.take(size)
            except Busy:
                # What it holds itself it will not free while it waits.
                if self._holds or self._clock.now_ms() >= give_up_ms:
                    raise
                await self._clock.sleep(RETRY_SECONDS)
            else:
                self._holds += size
                return

    def release(self) -> None:
        """All of them are handed over; may be called again."""
        self._share.release()
        self._holds = 0
