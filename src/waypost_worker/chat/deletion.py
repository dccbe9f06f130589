"""Deletion of a thread with all that it owns: its answers' chunks, its conversation, its documents, its pages.

The thread's record goes last, and everything before it can be deleted twice: a deletion that fails halfway is continued
by the same request. What was deleted is not found in this location any more; another one may show it for two minutes.
Chunks that a generation in another location still writes can't be read without the conversation, and expire.
"""

from typing import NamedTuple

from waypost_worker.chat.context import ChatContext
from waypost_worker.chat.resume import stop_answer
from waypost_worker.conversations.leftover import sessions_with_content
from waypost_worker.conversations.thread import Thread, session_prefixes
from waypost_worker.conversations.thread_list import all_threads
from waypost_worker.documents.document import DocumentStore
from waypost_worker.documents.page import PageStore
from waypost_worker.errors import BudgetSpent
from waypost_worker.kv.cursor import cursor_ms, is_cursor
from waypost_worker.kv.keys import thread_key
from waypost_worker.kv.store import Kv
from waypost_worker.limits import ANSWER_TTL_SECONDS, MAX_ANSWER_SECONDS


class Owned(NamedTuple):
    """The stores of what threads own, as one request sees them."""

    kv: Kv
    chats: ChatContext
    documents: DocumentStore
    pages: PageStore


class Deleted(NamedTuple):
    """How many threads of a resource were deleted, and whether nothing is left."""

    threads: int
    is_done: bool


async def delete_thread(owned: Owned, thread: Thread) -> None:
    """Deletes `thread` and what it owns; its forks stay.

    Raises:
        StorageUnavailable, BudgetSpent: some of it is deleted; repeat it.
    """
    chats = owned.chats
    # A running answer would have no reader left, and would block the next use of the thread's name.
    await stop_answer(chats, thread.resource_id, thread.thread_id, None)
    scope = thread_key(thread.resource_id, thread.thread_id)
    oldest_ms = chats.now_ms() - 1000 * (ANSWER_TTL_SECONDS + MAX_ANSWER_SECONDS)
    for name in sorted(await chats.conversation(thread.session_id).answer_ids()):
        if is_cursor(name, scope) and cursor_ms(name) > oldest_ms:
            await chats.chunks(name).delete()
    await _delete_session(owned, thread.session_id)
    await chats.threads.delete(thread)


async def delete_resource(owned: Owned, resource_id: str) -> Deleted:
    """Deletes the threads of a resource, and what is left of those whose record has expired, as far as the budget of
    operations goes.

    Raises:
        StorageUnavailable: some of it is deleted; repeat it.
    """
    deleted = 0
    try:
        async for thread in all_threads(owned.kv, resource_id):
            await delete_thread(owned, thread)
            deleted += 1
        for prefix in session_prefixes(resource_id, owned.chats.settings.signing_keys):
            for session_id in sorted(await sessions_with_content(owned.kv, prefix)):
                await _delete_session(owned, session_id)
    except BudgetSpent:
        return Deleted(deleted, False)
    return Deleted(deleted, True)


async def _delete_session(owned: Owned, session_id: str) -> None:
    await owned.chats.conversation(session_id).forget(for_good=True)
    await owned.documents.delete_all(session_id)
    await owned.pages.delete_all(session_id)
