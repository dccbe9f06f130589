"""The open answers of a conversation as a new question finds them: running here, running elsewhere, abandoned, or
waiting for outputs of the page."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from waypost_worker.chat.context import ChatContext
from waypost_worker.chat.live_answer import LiveAnswer
from waypost_worker.chat.page_calls import PageAnswer, left
from waypost_worker.chat.resume import inspect_open, stop_live
from waypost_worker.chat.unfinished import as_partial
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.limits import REORDER_WINDOW_SECONDS


class Remote(msgspec.Struct, frozen=True):
    """An answer that another isolate generates. `left_by`: the client that has left it; empty if it is still there."""

    item: ChatMessage
    left_by: str


class OpenAnswers:
    """The open answers among `items`.

    `remote`: those that run in other isolates. `sent`: the calls of the answer before the new question, as its page has
    them.
    """

    def __init__(self, context: ChatContext, running: LiveAnswer | None, sent: PageAnswer | None = None) -> None:
        self._context = context
        self._sent = sent
        self._running = running
        self._abandoned: list[ChatMessage] = []
        self._waiting: list[ChatMessage] = []
        self._items: list[ChatMessage] = []
        self.remote: list[Remote] = []

    async def look(self, items: Sequence[ChatMessage]) -> None:
        """Costs a list operation for each open answer that this isolate does not generate."""
        self._items = list(items)
        for index, item in enumerate(items):
            if not item.is_open:
                self._waiting += [item] if item.waits else []
                continue
            if self._running is not None and item.id == self._running.generation_id:
                self._items[index] = _so_far(item, self._running)
                continue
            unfinished = await inspect_open(self._context, item)
            self._items[index] = as_partial(unfinished.item)
            if unfinished.is_alive:
                self.remote.append(Remote(item, unfinished.left_by))
            else:
                self._abandoned.append(as_partial(unfinished.item))

    async def stop(self) -> None:
        """Stops the running ones. The one of this isolate has ended on return, and `items` have its last text."""
        for answer in self.remote:
            await self._context.chunks(answer.item.generation).request_stop()
        running = self._running
        if running is not None and not running.has_begun:
            # It was waited for. If it begins yet, it ends then.
            running.stop_requested = True
        elif running is not None:
            await stop_live(self._context, running)
            self._items = [_so_far(item, running) if item.id == running.generation_id else item for item in self._items]

    async def take_over(self, message_id: str) -> None:
        """Takes over the abandoned answers to the message `message_id`, and looks at them once more: one whose isolate
        was silent and is not gone makes no further calls of tools."""
        for index, (asked, item) in enumerate(pairwise(self._items), 1):
            if asked.id == message_id and item.id in self.abandoned:
                chunks = self._context.chunks(item.generation)
                await chunks.take_over()
                whole = as_partial((await inspect_open(self._context, item)).item)
                self._items[index] = whole
                self._abandoned = [whole if other.id == item.id else other for other in self._abandoned]

    @property
    def items(self) -> list[ChatMessage]:
        """The messages, with open answers as partial ones with their text so far. None waits for the page any more: the
        new question leaves its calls."""
        return [left(item, self._sent) for item in self._items]

    @property
    def abandoned(self) -> set[str]:
        """The ids of those whose isolates are gone."""
        return {item.id for item in self._abandoned}

    def closing(self, drops: Sequence[str]) -> tuple[list[ChatMessage], list[str]]:
        """The abandoned answers to append as ended, and the ids of those to drop; none of them is among `drops`.

        An abandoned answer without text and tool calls is no message. It is dropped only once no location can still see
        it running: from far away a running answer may look abandoned, and what is dropped never comes back.
        """
        settled_ms = self._context.now_ms() - REORDER_WINDOW_SECONDS * 1000
        abandoned = [item for item in self._abandoned if item.id not in drops]
        empty = [item.id for item in abandoned if item.is_blank and item.timestamp_ms < settled_ms]
        return [left(item, self._sent) for item in abandoned if not item.is_blank], empty

    def leaving(self, drops: Sequence[str]) -> list[ChatMessage]:
        """The answers to append that have waited for the page, without those among `drops`."""
        return [left(item, self._sent) for item in self._waiting if item.id not in drops]


def _so_far(item: ChatMessage, running: LiveAnswer) -> ChatMessage:
    return as_partial(msgspec.structs.replace(item, content=running.text, tool_events=list(running.tool_events)))
