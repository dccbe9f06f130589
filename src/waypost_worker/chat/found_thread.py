"""A thread and its conversation, asked for together.

The conversation's id is in the thread's record. But it is known before: from what this isolate remembers of the thread,
or by derivation from the thread's name. Only a thread that began under another signing key has another id; then its
conversation is read once more.
"""

from typing import NamedTuple

from waypost_worker.chat.context import ChatContext
from waypost_worker.conversations.conversation import Conversation, History
from waypost_worker.conversations.thread import Thread
from waypost_worker.kv.together import together


class FoundThread(NamedTuple):
    """A thread, and its conversation with what it has; of a thread that does not exist, the one that it would have."""

    thread: Thread | None
    conversation: Conversation
    history: History


async def find_to_ask(context: ChatContext, resource_id: str, thread_id: str) -> FoundThread:
    """The thread and its conversation, which is read in any case: a question may begin the thread.

    Raises:
        StorageUnavailable, BudgetSpent
    """
    likely = context.threads.likely_session_id(resource_id, thread_id)
    conversation = context.conversation(likely)
    thread, history = await together(context.threads.find(resource_id, thread_id), conversation.history())
    session_id = thread.session_id if thread else context.threads.session_id_for(resource_id, thread_id)
    if session_id == likely:
        return FoundThread(thread, conversation, history)
    conversation = context.conversation(session_id)
    return FoundThread(thread, conversation, await conversation.history())


async def find_to_read(
    context: ChatContext, resource_id: str, thread_id: str
) -> tuple[Thread, Conversation, History] | None:
    """The thread and its conversation; `None` if there is no such thread. Lists are few on the free plan: there the
    conversation of a thread that this isolate does not know is read only once the thread is found.

    Raises:
        StorageUnavailable, BudgetSpent
    """
    threads = context.threads
    if context.invocation.plan.reads_ahead or threads.remembers(resource_id, thread_id):
        found = await find_to_ask(context, resource_id, thread_id)
        return None if found.thread is None else (found.thread, found.conversation, found.history)
    thread = await threads.find(resource_id, thread_id)
    if thread is None:
        return None
    conversation = context.conversation(thread.session_id)
    return thread, conversation, await conversation.history()
