"""The JSON view of a thread, shared by several routes."""

from typing import Any

import msgspec

from waypost_worker.clock import to_iso
from waypost_worker.conversations.message import ForkOrigin
from waypost_worker.conversations.thread import Thread


class ThreadView(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A thread, and the conversation that it maps to."""

    thread_id: str
    resource_id: str
    session_id: str
    created_at: str
    updated_at: str
    metadata: dict[str, Any] = {}
    forked_from: ForkOrigin | None = None
    agent: str | None = None
    title: str = ""
    archived: bool = False


class DescribedThread(msgspec.Struct, frozen=True):
    """One thread."""

    session: ThreadView


def thread_view(thread: Thread) -> ThreadView:
    """The view of `thread`."""
    return ThreadView(
        thread.thread_id,
        thread.resource_id,
        thread.session_id,
        to_iso(thread.created_ms),
        to_iso(thread.updated_ms),
        thread.metadata,
        thread.forked_from,
        thread.agent,
        thread.title,
        thread.archived,
    )
