"""A store whose writes of messages take time, or fail."""

import asyncio

from waypost_worker.kv.failures import failure_of
from waypost_worker.kv.memory import MemoryKv

WRITE_SECONDS = 5.0
"""How long a write of a message takes here: long enough to see that it is not waited for."""


class SlowKv(MemoryKv):
    """A store whose writes of messages take time. Those whose keys begin with one of `refused` fail."""

    refused: tuple[str, ...] = ()
    seconds = WRITE_SECONDS

    async def put(self, key: str, value: str | bytes, *, ttl_seconds: int, metadata: str | None = None) -> None:
        if key.startswith(("req:", "res:")):
            await asyncio.sleep(self.seconds)
        if self.refused and key.startswith(self.refused):
            raise failure_of("Error: KV put() failed: 503 Service Unavailable", "put")
        await super().put(key, value, ttl_seconds=ttl_seconds, metadata=metadata)
