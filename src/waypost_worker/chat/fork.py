"""Forks: a new thread that has the history of another one, up to a message of it, and from then on its own."""

from typing import Any

import msgspec

from waypost_worker.chat.context import ChatContext
from waypost_worker.chat.turn import is_message
from waypost_worker.chat.unfinished import as_partial
from waypost_worker.conversations.message import ChatMessage, ForkOrigin
from waypost_worker.conversations.thread import Thread, validate_thread
from waypost_worker.documents.document import DocumentStore
from waypost_worker.errors import InvalidBody, MessageNotFound, ThreadExists, ThreadNotFound


class ForkRequest(msgspec.Struct, frozen=True):
    """What is to become of what. `message_id`: the last message that is taken along; `None`: all are."""

    resource_id: str
    thread_id: str
    parent_id: str
    message_id: str | None = None
    agent: str | None = None
    metadata: dict[str, Any] | None = None


async def fork(chats: ChatContext, documents: DocumentStore, forking: ForkRequest) -> tuple[Thread, int]:
    """Make the thread; it, and how many messages it has. The parent is only read.

    The thread's record is written last: a fork that broke off is no thread, and is made anew when asked for again.

    Raises:
        UnknownAgent, ThreadNotFound, ThreadExists, MessageNotFound, InvalidBody, StorageUnavailable, BudgetSpent
    """
    chats.check_agent(forking.agent)
    if forking.thread_id == forking.parent_id:
        raise InvalidBody("A thread can't be a fork of itself; give the fork a threadId of its own.")
    parent = await chats.threads.find(forking.resource_id, forking.parent_id)
    if parent is None:
        raise ThreadNotFound("There is no thread of this name to fork from.")
    if await chats.threads.find(forking.resource_id, forking.thread_id) is not None:
        raise ThreadExists("There is a thread of this name; give the fork another one.")
    items = _up_to(await chats.conversation(parent.session_id).read(), forking.message_id)
    taken: list[ChatMessage] = []
    for item in items:
        whole = as_partial((await chats.inspect(item)).item) if item.is_open else item
        if is_message(whole):
            # In a conversation of its own each stands where it is put.
            taken.append(msgspec.structs.replace(whole, place=""))
    last_id = taken[-1].id if taken else None
    thread = await chats.threads.fork(parent, forking.thread_id, last_id, forking.agent, forking.metadata)
    validate_thread(thread)
    await documents.copy(parent.session_id, thread.session_id)
    await chats.conversation(thread.session_id).replace(taken, ForkOrigin(parent.thread_id, last_id))
    await chats.threads.save(thread)
    return thread, len(taken)


def _up_to(items: list[ChatMessage], message_id: str | None) -> list[ChatMessage]:
    if message_id is None:
        return items
    for index, item in enumerate(items):
        if item.id == message_id:
            return items[: index + 1]
    raise MessageNotFound("The thread has no message of this id; only its last ones are kept.")
