"""Forks: new threads that start with a copy of another thread's messages and documents."""

from typing import Any

import msgspec

from waypost_worker.chat.context import ChatContext
from waypost_worker.chat.found_thread import find_to_read
from waypost_worker.chat.resume import inspect_open
from waypost_worker.chat.turn import is_message
from waypost_worker.chat.unfinished import as_partial
from waypost_worker.conversations.message import ChatMessage, ForkOrigin
from waypost_worker.conversations.thread import Thread, validate_thread
from waypost_worker.documents.document import DocumentStore
from waypost_worker.errors import InvalidBody, MessageNotFound, ThreadExists, ThreadNotFound
from waypost_worker.kv.together import together


class ForkRequest(msgspec.Struct, frozen=True):
    """A fork request: `thread_id` becomes a fork of `parent_id`, both of `resource_id`.

    `message_id`: the last message to copy; `None` copies all. `agent`, `metadata`: `None` takes over the parent's.
    """

    resource_id: str
    thread_id: str
    parent_id: str
    message_id: str | None = None
    agent: str | None = None
    metadata: dict[str, Any] | None = None


async def fork(context: ChatContext, documents: DocumentStore, forking: ForkRequest) -> tuple[Thread, int]:
    """Creates the thread. Returns it and how many messages it has. The parent is only read.

    The thread's record is written last: a fork that fails halfway leaves no thread, and the same request can be
    repeated.

    Raises:
        UnknownAgent: agents are configured, and none has this name.
        InvalidBody: the two ids are the same, or the record would be too large (see `validate_thread`).
        ThreadNotFound: the parent does not exist.
        ThreadExists: the new thread's id is in use.
        MessageNotFound: the parent has no message `message_id`.
        StorageUnavailable, BudgetSpent: the store failed, or the copy needs more operations than are left.
    """
    context.check_agent(forking.agent)
    if forking.thread_id == forking.parent_id:
        raise InvalidBody("A thread can't be a fork of itself; give the fork a threadId of its own.")
    found, taken = await together(
        find_to_read(context, forking.resource_id, forking.parent_id),
        context.threads.find(forking.resource_id, forking.thread_id),
    )
    if found is None:
        raise ThreadNotFound("There is no thread of this name to fork from.")
    if taken is not None:
        raise ThreadExists("There is a thread of this name; give the fork another one.")
    parent, conversation, history = found
    items = _up_to(history.items, forking.message_id)
    copied: list[ChatMessage] = []
    for item in items:
        whole = as_partial((await inspect_open(context, item)).item) if item.is_open else item
        if is_message(whole):
            # Without the place that the parent's conversation gave it.
            copied.append(msgspec.structs.replace(whole, place=""))
    last_id = copied[-1].id if copied else None
    thread = await context.threads.fork(parent, forking.thread_id, last_id, forking.agent, forking.metadata)
    validate_thread(thread)

    async def copy_messages() -> None:
        # With images of its own, since those of the parent end with the parent.
        shown = await conversation.shown(copied)
        await context.conversation(thread.session_id).replace(shown, ForkOrigin(parent.thread_id, last_id))

    await together(documents.copy(parent.session_id, thread.session_id), copy_messages())
    await context.threads.save(thread)
    return thread, len(copied)


def _up_to(items: list[ChatMessage], message_id: str | None) -> list[ChatMessage]:
    if message_id is None:
        return items
    for index, item in enumerate(items):
        if item.id == message_id:
            return items[: index + 1]
    raise MessageNotFound("The thread has no message of this id; only its last ones are kept.")
