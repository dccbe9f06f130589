"""The chunks of a running answer in KV, for readers in other isolates: one key each, numbered from 0, never changed.

Key `gen:{generation}:{number}`. A chunk is written about once a second, and half as often while there is no new text:
an empty chunk tells a slow answer from one whose isolate is gone. Chunks expire after `ANSWER_TTL_SECONDS`; by then the
conversation has the answer.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from waypost_worker.chat.live_answer import Outcome
from waypost_worker.conversations.message import ToolEvent
from waypost_worker.kv.bulk import delete_all, get_all
from waypost_worker.kv.keys import piece_key, pieces_prefix, stop_key
from waypost_worker.kv.store import Kv, ListedKey, fits_metadata, list_all
from waypost_worker.limits import ANSWER_TTL_SECONDS

TAKEN_OVER: Literal["taken over"] = "taken over"
StopRequest = Literal["", "stop", "taken over"]
"""What a generation is asked for: nothing, to stop, or to leave the answer to another one."""


class Chunk(msgspec.Struct, frozen=True, omit_defaults=True):
    """The text, the reasoning and the tool events since the chunk before. The last chunk has the `outcome`.

    `left_by`: see `LiveAnswer`.
    """

    written_ms: int
    text: str = ""
    outcome: Outcome | None = None
    left_by: str = ""
    reasoning: str = ""
    tool_events: list[ToolEvent] = []


_decode = msgspec.json.Decoder(Chunk).decode


class ChunkStore:
    """The chunks of one answer, as one request sees them."""

    def __init__(self, kv: Kv, generation_id: str) -> None:
        self._kv = kv
        self._generation_id = generation_id

    async def write(self, number: int, chunk: Chunk) -> None:
        """Writes chunk `number`, counted from 0. Idempotent: a number is always written with the same text."""
        text = msgspec.json.encode(chunk).decode()
        is_small = fits_metadata(text)
        await self._kv.put(
            piece_key(self._generation_id, number),
            "" if is_small else text,
            ttl_seconds=ANSWER_TTL_SECONDS,
            metadata=text if is_small else None,
        )

    async def read(self, number: int) -> list[Chunk]:
        """The chunks from `number` on, in order and without a gap; perhaps not all that exist."""
        if number == 0:
            return await self._read(pieces_prefix(self._generation_id), 0)
        # A listing can't begin in the middle. At most ten keys share all but the last digit.
        return await self._read(piece_key(self._generation_id, number)[:-1], number)

    async def delete(self) -> None:
        """Deletes the chunks. A generation that runs elsewhere may write some more; they expire."""
        async for keys in list_all(self._kv, pieces_prefix(self._generation_id)):
            await delete_all(self._kv, [key.name for key in keys])

    async def request_stop(self) -> None:
        """Asks the generation, in whichever isolate it runs, to stop; it looks every `stop_look_ms` of its plan."""
        await self._kv.put(stop_key(self._generation_id), "", ttl_seconds=ANSWER_TTL_SECONDS)

    async def take_over(self) -> None:
        """Tells the generation, should it still run somewhere, that another one goes on with its answer and with its
        calls of tools."""
        key = stop_key(self._generation_id)
        await self._kv.put(key, "", ttl_seconds=ANSWER_TTL_SECONDS, metadata=TAKEN_OVER)

    async def stop_request(self) -> StopRequest:
        """What was requested last; one list operation."""
        listed = (await self._kv.list(stop_key(self._generation_id), limit=1)).keys
        if not listed:
            return ""
        return TAKEN_OVER if listed[0].metadata == TAKEN_OVER else "stop"

    async def _read(self, prefix: str, number: int) -> list[Chunk]:
        listed: dict[str, ListedKey] = {}
        async for keys in list_all(self._kv, prefix):
            listed |= {key.name: key for key in keys}
        consecutive: list[ListedKey] = []
        while key := listed.get(piece_key(self._generation_id, number)):
            consecutive.append(key)
            number += 1
        return await self._load(consecutive)

    async def _load(self, keys: Sequence[ListedKey]) -> list[Chunk]:
        apart = [key.name for key in keys if key.metadata is None]
        values = await get_all(self._kv, apart)
        chunks: list[Chunk] = []
        for key in keys:
            text = values.get(key.name) if key.metadata is None else key.metadata
            if text is None:
                # The key is listed and its value not visible yet: later chunks wait for it.
                break
            chunks.append(_decode(text))
        return chunks
