"""A session's pages of a ledger, for the event loop: what takes time is done in a thread, one thing after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from waypost.host.ledger import Entry, KeepsSessions, Ledger
from waypost.host.threads import in_thread
from waypost.types import SessionRecord

T = TypeVar("T")


class Book:
    """`memory`: the name of the session's memory."""

    def __init__(self, ledger: Ledger, memory: str) -> None:
        self._ledger = ledger
        self._memory = memory
        self._turn = asyncio.Lock()

    async def open(self) -> bool:
        return await self._do(self._ledger.open)

    async def find(self, id: str) -> Entry | None:
        return await self._do(self._ledger.find, id)

    async def begin(self, id: str, tool: str) -> Entry | None:
        return await self._do(self._ledger.begin, id, tool)

    async def answer(self, id: str, tool: str, answer: bytes) -> None:
        await self._do(self._ledger.answer, id, tool, answer)

    async def delivered(self, id: str) -> None:
        await self._do(self._ledger.delivered, id)

    async def cancel(self, id: str) -> None:
        await self._do(self._ledger.cancel, id)

    async def undelivered(self) -> list[tuple[str, Entry]]:
        return await self._do(self._ledger.undelivered)

    async def count(self) -> int:
        return await self._do(self._ledger.count)

    async def keep(self, record: SessionRecord) -> bool:
        """Keeps the session's record, if the ledger keeps sessions. Returns whether it does."""
        if not isinstance(self._ledger, KeepsSessions):
            return False
        ledger = self._ledger
        await self._do(lambda _memory: ledger.save_session(record))
        return True

    async def forget(self) -> None:
        await self._do(self._ledger.forget)

    async def _do(self, method: Callable[..., T], *args: Any) -> T:
        async with self._turn:
            if not self._ledger.blocks:
                return method(self._memory, *args)
            return await in_thread(method, self._memory, *args)
