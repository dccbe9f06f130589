"""A conversation: the kept messages of a thread, of a voice agent, or of an agent framework that keeps its own
memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from waypost._async.driver import AsyncDriver
from waypost._core.ids import new_id
from waypost._core.plain_json import plain_value
from waypost._wire import conversations
from waypost.types import History, Message, VoiceReply

MAX_APPENDED = 100
"""The messages that the server takes with one append."""


class AsyncConversation:
    """The conversation of one session id, which is the secret that owns it."""

    def __init__(self, driver: AsyncDriver, session_id: str) -> None:
        self._driver = driver
        self.session_id = session_id

    async def messages(self, *, limit: int | None = None, before: str | None = None) -> History:
        """Reads the last messages. `History.truncated` says whether older ones were cut off and are not kept;
        `History.before`, passed on, reads the page before. Raises `NotFound` if that is not kept any more."""
        return await self._driver.send(conversations.read_conversation(self.session_id, limit=limit, before=before))

    async def append(self, messages: Sequence[Message | dict[str, Any]]) -> list[str]:
        """Appends messages, and returns their ids, which are made up here for those that have none: so a repeat appends
        nothing twice. More than 100 are sent in parts, in their order."""
        ready = [_ready(message) for message in messages]
        ids: list[str] = []
        for start in range(0, len(ready), MAX_APPENDED):
            call = conversations.append_messages(self.session_id, ready[start : start + MAX_APPENDED])
            appended: list[str] = await self._driver.send(call)
            ids += appended
        return ids

    async def remove(self, message_id: str) -> None:
        """Deletes one message; the others stay. Succeeds also if there is none."""
        await self._driver.send(conversations.delete_message(self.session_id, message_id))

    async def pop(self, *, id: str | None = None) -> Message | None:
        """Takes the last message away and returns it; `None` if there is none. The same `id` within ten minutes is the
        same pop, and takes nothing else."""
        return await self._driver.send(conversations.pop_message(self.session_id, id or new_id()))

    async def clear(self) -> None:
        """Deletes the conversation."""
        await self._driver.send(conversations.delete_conversation(self.session_id))

    async def export(self, format: Literal["json", "jsonl", "markdown"] = "jsonl") -> str:
        """The messages as text for a file."""
        return await self._driver.send(conversations.export_conversation(self.session_id, format))

    async def replace(self, lines: str) -> History:
        """Replaces the conversation by an export as JSON lines, and returns it."""
        return await self._driver.send(conversations.import_conversation(self.session_id, lines.encode()))

    async def ask_voice(self, question: str) -> VoiceReply:
        """Asks the voice agent. Not repeated if the connection fails: the question may have been answered and kept."""
        return await self._driver.send(conversations.ask_voice(self.session_id, question))


def _ready(message: Message | dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = dict(message) if isinstance(message, dict) else _written(message)
    plain.setdefault("id", new_id())
    return plain


def _written(message: Message) -> dict[str, Any]:
    """What an append takes of a message that was read elsewhere."""
    fields = ("role", "content", "id", "toolCalls", "toolCallId", "byUser")
    plain: dict[str, Any] = plain_value(msgspec.to_builtins(message))
    return {name: plain[name] for name in fields if plain.get(name) is not None}
