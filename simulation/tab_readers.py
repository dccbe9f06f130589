"""A client that only reads the answers of a thread, over as many connections as break: it comes back with the id of the
last event, anywhere. What it has put together must be the answer that is kept, with each event of a tool at its place.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

from simulation.chats import RESOURCE, Chats, Isolate


@dataclass
class Read:
    """What was read of one answer. `places`: of each event of a tool, its kind, its call, and how much text and
    reasoning came before it."""

    session_id: str
    text: str = ""
    reasoning: str = ""
    places: list[tuple[str, str, int, int]] = field(default_factory=list)
    is_whole: bool = False

    def take(self, name: str, data: dict[str, Any]) -> None:
        """The next event."""
        if name == "delta":
            self.text += data["text"]
        elif name == "reasoning":
            self.reasoning += data["text"]
        elif name.startswith("tool_"):
            self.places.append((name.removeprefix("tool_"), data["id"], len(self.text), len(self.reasoning)))


class TabReader:
    """Reads the answers of the thread `thread_id`."""

    def __init__(self, chats: Chats, thread_id: str, random: Random) -> None:
        self._chats = chats
        self._random = random
        self._thread_id = thread_id
        self._url = f"/api/chat/{quote(thread_id)}/stream?resourceId={RESOURCE}"
        self._reads: dict[str, Read] = {}
        self._last_id = ""

    async def stay(self) -> None:
        """Reads what is running, and comes back whenever its connection ends, until this is cancelled."""
        while True:
            isolate = self._random.choice(self._chats.isolates)
            reading = asyncio.ensure_future(self._read(isolate))
            dying = asyncio.ensure_future(isolate.kv.is_dead.wait())
            patience = self._random.choice((1, 3, 20))
            try:
                await asyncio.wait({reading, dying}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (reading, dying):
                    task.cancel()
            has_read, _ = await asyncio.gather(reading, dying, return_exceptions=True)
            if self._random.random() < 0.1:
                self._last_id = ""
            # Nothing may run, or show up here yet.
            await asyncio.sleep(self._random.choice((3, 6)) if has_read is False else self._random.choice((0, 1)))

    async def _read(self, isolate: Isolate) -> bool:
        """Whether there was something to read."""
        headers = {"Last-Event-ID": self._last_id} if self._last_id else {}
        response = await isolate.client.open("GET", self._url, headers=headers)
        if not isinstance(response.body, AsyncGenerator):
            return False
        left, generation_id = "", ""
        try:
            async for chunk in response.body:
                *blocks, left = (left + chunk.decode()).split("\n\n")
                for block in blocks:
                    generation_id = self._take(block, generation_id)
        finally:
            await response.body.aclose()
        return True

    def _take(self, block: str, generation_id: str) -> str:
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":"))
        if "event" not in fields:
            return generation_id
        name, data = fields["event"], json.loads(fields["data"])
        if name == "start":
            generation_id = data["generationId"]
            if not self._last_id.startswith(f"{generation_id}."):
                # It begins with the first event.
                self._reads[generation_id] = Read(data["session_id"])
            return generation_id
        read = self._reads[generation_id]
        read.take(name, data)
        self._last_id = fields.get("id", self._last_id)
        if name == "done":
            read.is_whole = not data["partial"]
            self._last_id = ""
        return generation_id

    async def check(self) -> None:
        """Compares what was read to its end with what is kept."""
        for generation_id, read in self._reads.items():
            if not read.is_whole:
                continue
            page = await self._chats.persist("GET", f"/api/conversations/{read.session_id}")
            for kept in page["messages"]:
                if kept["id"] == generation_id and "partial" not in kept and _kept(kept, read) != read:
                    self._chats.violations.append(f"read in another way than it is kept: {read}, {_kept(kept, read)}")


def _kept(message: dict[str, Any], read: Read) -> Read:
    places = [
        (event["kind"], event["id"], event.get("text", 0), event.get("reasoning", 0))
        for event in message.get("toolEvents", [])
    ]
    return Read(read.session_id, message["content"], message.get("reasoning", ""), places, is_whole=True)
