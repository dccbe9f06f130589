"""Forks: a new thread that has the history of another one, up to a message of it, and from then on its own."""

from typing import Any

import msgspec

from waypost_worker.chat.context import ChatPorts
from waypost_worker.chat.turn import is_message
from waypost_worker.chat.unfinished import closed
from waypost_worker.conversations.message import Item, Origin
from waypost_worker.conversations.thread import Thread, check
from waypost_worker.documents.document import DocumentStore
from waypost_worker.errors import InvalidBody, MessageNotFound, ThreadExists, ThreadNotFound


class Forking(msgspec.Struct, frozen=True):
    """What is to become of what. `message_id`: the last message that is taken along; `None`: all are."""

    resource_id: str
    thread_id: str
    parent_id: str
    message_id: str | None = None
    agent: str | None = None
    metadata: dict[str, Any] | None = None


async def fork(ports: ChatPorts, documents: DocumentStore, forking: Forking) -> tuple[Thread, int]:
    """Make the thread; it, and how many messages it has. The parent is only read.

    The thread's record is written last: a fork that broke off is no thread, and is made anew when asked for again.

    Raises:
        UnknownAgent, ThreadNotFound, ThreadExists, MessageNotFound, InvalidBody, StorageUnavailable, BudgetSpent
    """
    ports.check_agent(forking.agent)
    if forking.thread_id == forking.parent_id:
        raise InvalidBody("A thread can't be a fork of itself; give the fork a threadId of its own.")
    parent = await ports.threads.find(forking.resource_id, forking.parent_id)
    if parent is None:
        raise ThreadNotFound("There is no thread of this name to fork from.")
    if await ports.threads.find(forking.resource_id, forking.thread_id) is not None:
        raise ThreadExists("There is a thread of this name; give the fork another one.")
    items = _up_to(await ports.conversation(parent.session_id).read(), forking.message_id)
    taken: list[Item] = []
    for item in items:
        whole = closed((await ports.look_at(item)).item) if item.is_open else item
        if is_message(whole):
            # In a conversation of its own each stands where it is put.
            taken.append(msgspec.structs.replace(whole, place=""))
    last_id = taken[-1].id if taken else None
    thread = await ports.threads.fork(parent, forking.thread_id, last_id, forking.agent, forking.metadata)
    check(thread)
    await documents.copy(parent.session_id, thread.session_id)
    await ports.conversation(thread.session_id).replace(taken, Origin(parent.thread_id, last_id))
    await ports.threads.save(thread)
    return thread, len(taken)


def _up_to(items: list[Item], message_id: str | None) -> list[Item]:
    if message_id is None:
        return items
    for index, item in enumerate(items):
        if item.id == message_id:
            return items[: index + 1]
    raise MessageNotFound("The thread has no message of this id; only its last ones are kept.")
