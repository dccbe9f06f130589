"""The ports and stores that the chats of one request work with."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec

from waypost_worker.chat.chunks import ChunkStore
from waypost_worker.chat.live_answer import LiveAnswer, LiveAnswers
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.thread import ThreadStore
from waypost_worker.errors import UnknownAgent
from waypost_worker.kv.cursor import CursorFactory
from waypost_worker.models.model import Model
from waypost_worker.polling.invocation import Invocation
from waypost_worker.settings import Settings


class ChatContext(msgspec.Struct, frozen=True):
    """The ports and stores of one request.

    `conversation` makes the store of a conversation from its session id, `chunks` that of an answer's chunks from its
    generation id; both retry what KV refuses. `unretried_chunks` does not: it is for readers whose loop looks again
    anyway. `charge` counts a prompt of so many characters on the asker's budget, beyond the first use. `can_write`:
    whether so many writes of together so many characters are paid for already, and none is used up for today.
    """

    threads: ThreadStore
    conversation: Callable[[str], Conversation]
    chunks: Callable[[str], ChunkStore]
    unretried_chunks: Callable[[str], ChunkStore]
    answers: LiveAnswers
    cursors: CursorFactory
    model: Model
    settings: Settings
    invocation: Invocation
    background: Callable[[Coroutine[Any, Any, None]], None]
    log: Callable[[str], None]
    charge: Callable[[int], Awaitable[None]]
    can_write: Callable[[int, int], bool]

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        return self.invocation.clock.now_ms()

    def check_agent(self, name: str | None) -> None:
        """Accept `name` if an agent has it, or if none are configured.

        Raises:
            UnknownAgent: agents are configured, and none has this name.
        """
        agents = self.settings.model.agents
        if name is not None and agents and name not in agents:
            raise UnknownAgent(f"There is no such agent; there are: {', '.join(sorted(agents))}.")

    def running(self, resource_id: str, thread_id: str) -> LiveAnswer | None:
        """The thread's running answer if this isolate generates it."""
        return self.answers.running(resource_id, thread_id, self.now_ms())
