"""The JSON view of a thread, shared by several routes."""

from typing import Any

import msgspec

from waypost_worker.clock import to_iso
from waypost_worker.conversations.message import ForkOrigin
from waypost_worker.conversations.thread import Thread


class ThreadView(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A thread, and the conversation that it maps to."""

    thread_id: str
    """The thread's id, chosen by the app."""
    resource_id: str
    """The resource that it belongs to."""
    session_id: str
    """The secret id that owns its conversation, its documents and its pages."""
    created_at: str
    """When it began."""
    updated_at: str
    """When it was last used."""
    metadata: dict[str, Any] = {}
    """The app's own JSON."""
    forked_from: ForkOrigin | None = None
    """Where it was forked from, if it was."""
    agent: str | None = None
    """The agent that answers in it, if one was named."""
    title: str = ""
    """Its name for lists; left out if it has none."""
    archived: bool = False
    """Whether it is marked as archived."""


class DescribedThread(msgspec.Struct, frozen=True):
    """One thread."""

    session: ThreadView
    """The thread."""


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
