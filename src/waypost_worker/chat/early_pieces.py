"""The pieces of an answer, the first of which may be asked for before there is a reader of them."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from waypost_worker.models.model import Reasoning

Said = str | Reasoning
"""What a model says: text, or the reasoning before it."""


class EarlyPieces(AsyncGenerator[Said, None]):
    """`pieces`, whose model is asked with `begin`; without that, when the first is read. Closing it ends the request to
    the model, also while the first piece is not there yet.

    One piece is held at most: the model's stream waits for its reader.
    """

    def __init__(self, pieces: AsyncGenerator[Said, None]) -> None:
        self._pieces = pieces
        self._first: asyncio.Task[Said | None] | None = None

    def begin(self) -> None:
        """Asks the model. Its failure is raised where the first piece is read."""
        self._first = asyncio.ensure_future(_next(self._pieces))

    async def asend(self, value: None) -> Said:
        """The next piece."""
        first, self._first = self._first, None
        piece = await (first or _next(self._pieces))
        if piece is None:
            raise StopAsyncIteration
        return piece

    async def athrow(self, *error: Any) -> Said:
        """Raises `error` in the model's stream."""
        return await self._pieces.athrow(*error)

    async def aclose(self) -> None:
        """Ends the request to the model."""
        first, self._first = self._first, None
        if first is not None:
            first.cancel()
            await asyncio.wait({first})
            # Taken note of: a model that failed without a reader has failed for no one.
            _ = first.cancelled() or first.exception()
        await self._pieces.aclose()


async def _next(pieces: AsyncGenerator[Said, None]) -> Said | None:
    return await anext(pieces, None)
