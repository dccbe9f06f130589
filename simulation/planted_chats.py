"""Planted bugs of chats whose model is asked while the question is being written (see `planted.py`)."""

from contextlib import suppress
from typing import Any

import msgspec

from simulation.replaced import replaced
from waypost_worker.chat import chat
from waypost_worker.chat.beginning import Beginning
from waypost_worker.chat.chat import Chat
from waypost_worker.chat.early_pieces import EarlyPieces
from waypost_worker.chat.found_thread import FoundThread
from waypost_worker.chat.generation import Generation
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.journal import Change
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import Unavailable
from waypost_worker.kv.metered import MeteredKv
from waypost_worker.kv.together import together


def shows_before_it_is_kept() -> Any:
    """The answer is shown as soon as the model says something, whether its question is kept or not."""

    async def run(self: Any, info: Any, keep: Any, undo: Any, undo_asked: Any, *, is_sure: bool) -> None:
        async def keep_if_possible() -> None:
            with suppress(Unavailable):
                await keep()

        self._live.info = info
        generation = Generation(self._context, self._conversation, self._turn, self._live)
        await together(keep_if_possible(), generation.run(self._pieces, undo_asked))

    return replaced(Beginning, "run", run)


def writes_into_the_likely_conversation() -> Any:
    """A thread that began under another signing key gets a second conversation."""

    async def find(context: Any, resource_id: str, thread_id: str) -> FoundThread:
        conversation = context.conversation(context.threads.session_id_for(resource_id, thread_id))
        thread, history = await together(context.threads.find(resource_id, thread_id), conversation.history())
        return FoundThread(thread, conversation, history)

    return replaced(chat, "find_to_ask", find)


def lets_the_model_go_on() -> Any:
    """The request to the model goes on after the question was refused."""

    async def aclose(self: Any) -> None:
        pass

    return replaced(EarlyPieces, "aclose", aclose)


def asks_before_it_looks() -> Any:
    """The model is asked before it is known whether another answer is running."""

    async def prepare(self: Any, question: Any, *args: Any) -> Any:
        pieces = self._context.model.stream([ChatMessage("q", "user", question.content, 0)])
        await pieces.asend(None)
        await pieces.aclose()
        return await original(self, question, *args)

    original = Chat._prepare
    return replaced(Chat, "_prepare", prepare)


def asks_without_being_paid() -> Any:
    """The model is asked while a question is being written whose writes are not paid for."""
    return replaced(MeteredKv, "can_write", lambda *_: True)


def takes_back_by_name() -> Any:
    """A question whose write was refused is taken back by its id, and so is the same question answered elsewhere."""
    written: dict[str, list[str]] = {}

    async def write(self: Any, change: Change, cursor: str) -> str:
        written[cursor] = [*change.drops, *(item.id for item in change.items)]
        names = [name for entry in change.retracts for name in written[entry]]
        change = msgspec.structs.replace(change, drops=[*change.drops, *names], retracts=(), places={})
        return await original(self, change, cursor)

    original = Conversation._write
    return replaced(Conversation, "_write", write)


CHAT_BUGS = (
    shows_before_it_is_kept,
    writes_into_the_likely_conversation,
    lets_the_model_go_on,
    asks_before_it_looks,
    asks_without_being_paid,
)
