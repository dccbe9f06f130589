"""What chats work with, and what those who ask or come back are given."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Any

import msgspec

from waypost_worker.chat.answer_stream import AnswerEvent, follow_live, follow_stored
from waypost_worker.chat.chunks import ChunkStore
from waypost_worker.chat.live_answer import AnswerInfo, LiveAnswer, LiveAnswers
from waypost_worker.chat.unfinished import Unfinished, inspect
from waypost_worker.clock import seconds_until
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.conversations.thread import Thread, ThreadStore
from waypost_worker.errors import UnknownAgent
from waypost_worker.kv.cursor import CursorFactory
from waypost_worker.limits import INTERRUPT_SECONDS
from waypost_worker.models.model import Model
from waypost_worker.polling.invocation import Invocation
from waypost_worker.settings import Settings


class AnswerStream(msgspec.Struct, frozen=True):
    """An answer that can be followed; close `followed` if it is not read to its end."""

    info: AnswerInfo
    followed: AsyncGenerator[AnswerEvent, None]


class ChatContext(msgspec.Struct, frozen=True):
    """The stores and ports of one call. `pieces` repeats what the store refuses; `followed_pieces` does not."""

    threads: ThreadStore
    conversation: Callable[[str], Conversation]
    chunks: Callable[[str], ChunkStore]
    followed_chunks: Callable[[str], ChunkStore]
    answers: LiveAnswers
    cursors: CursorFactory
    model: Model
    settings: Settings
    invocation: Invocation
    background: Callable[[Coroutine[Any, Any, None]], None]
    log: Callable[[str], None]

    def now_ms(self) -> int:
        """What time it is."""
        return self.invocation.clock.now_ms()

    def check_agent(self, name: str | None) -> None:
        """Refuse a name that no agent has; where none are configured, it may be any.

        Raises:
            UnknownAgent
        """
        agents = self.settings.model.agents
        if name is not None and agents and name not in agents:
            raise UnknownAgent(f"There is no such agent; there are: {', '.join(sorted(agents))}.")

    def running(self, resource_id: str, thread_id: str) -> LiveAnswer | None:
        """The answer that this isolate is giving in the thread."""
        return self.answers.running(resource_id, thread_id, self.now_ms())

    async def inspect(self, item: ChatMessage) -> Unfinished:
        """What there is of an answer that this isolate is not giving."""
        return await inspect(item, self.chunks(item.id), self.invocation.clock, self.invocation.plan)

    async def join(self, live: LiveAnswer, start: int = 0) -> AnswerStream | None:
        """Follow `live` from its character `start` on; returns once it has begun. `None`: it came to nothing, because
        its question had been answered already, or whoever asked it is gone.

        Raises:
            what its giver met before its first word
        """
        live.readers += 1
        wakeup = self.invocation.clock.wakeup()
        try:
            with live.wakeups.subscribe(wakeup):
                while not live.has_begun and live.is_running(self.now_ms()):
                    await wakeup.wait(seconds_until(live.lost_at_ms, self.now_ms()))
        finally:
            live.readers -= 1
            live.left_ms = self.now_ms()
        if live.failure is not None:
            raise live.failure
        if live.info is None:
            return None
        return AnswerStream(live.info, follow_live(live, self.invocation, start))

    def follow(self, info: AnswerInfo, conversation: Conversation, start: int = 0) -> AnswerStream:
        """Follow an answer that another isolate is giving, from its character `start` on."""
        chunks = self.followed_chunks(info.generation_id)
        return AnswerStream(info, follow_stored(info.generation_id, chunks, conversation, self.invocation, start))

    async def stop(self, live: LiveAnswer) -> None:
        """Tell the giver of `live` to stop, and wait until it has."""
        live.stop_wanted = True
        give_up_ms = self.now_ms() + INTERRUPT_SECONDS * 1000
        wakeup = self.invocation.clock.wakeup()
        with live.wakeups.subscribe(wakeup):
            while live.is_running(self.now_ms()) and self.now_ms() < give_up_ms:
                await wakeup.wait(seconds_until(min(live.lost_at_ms, give_up_ms), self.now_ms()))


def info_of(thread: Thread, item: ChatMessage, items: Sequence[ChatMessage]) -> AnswerInfo:
    """What an answer in the conversation is to those who come back to it."""
    questions = [other.id for other in items[: items.index(item)] if other.role == "user"]
    return AnswerInfo(
        item.id,
        thread.session_id,
        thread.thread_id,
        thread.resource_id,
        questions[-1] if questions else "",
        item.is_ui,
        thread.forked_from,
    )


async def as_stream(said: Sequence[AnswerEvent]) -> AsyncGenerator[AnswerEvent, None]:
    """What is known already, as something to follow."""
    for followed in said:
        yield followed
