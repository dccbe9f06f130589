"""Stores whose reads lag behind their listings, each in one way that KV may."""

from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.store import ListPage


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


class HesitantKv(MemoryKv):
    """Lists an empty page with more to come, before each one that holds something."""

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        if cursor is None or cursor.startswith("full "):
            return ListPage((), "empty " + (cursor or "").removeprefix("full "))
        page = await super().list(prefix, cursor=cursor.removeprefix("empty ") or None, limit=limit)
        return ListPage(page.keys, page.cursor and "full " + page.cursor)
