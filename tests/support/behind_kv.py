"""Stores whose reads lag behind their listings, each in one way that KV may."""

from waypost_worker.kv.memory import MemoryKv


class ForgetfulKv(MemoryKv):
    """Lists what it no longer has."""

    async def get(self, key: str) -> str | None:
        return None


class StaleKv(MemoryKv):
    """Lists what was written last, and gives for ever what was read first."""

    _first: str | None = None

    async def get(self, key: str) -> str | None:
        self._first = self._first or await super().get(key)
        return self._first
