"""The Python client of Waypost: call tools in an open browser tab, offer tools from Python, keep chats.

`AsyncWaypost` is for asyncio, `Waypost` for everything else. `Host` offers tools. docs/python.md has examples.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from waypost._async.chat import AsyncAnswer, AsyncChat
    from waypost._async.client import AsyncWaypost
    from waypost._async.conversation import AsyncConversation
    from waypost._async.documents import AsyncDocuments, AsyncDocumentSlot, AsyncPages
    from waypost._async.guest import AsyncGuest, AsyncPendingCall
    from waypost._async.session import AsyncSession
    from waypost._async.threads import AsyncThreads
    from waypost._core.listening import Ended
    from waypost._core.plain_json import Unsendable
    from waypost._core.retrying import Retry
    from waypost._sync.chat import Answer, Chat
    from waypost._sync.client import Waypost
    from waypost._sync.conversation import Conversation
    from waypost._sync.documents import Documents, DocumentSlot, Pages
    from waypost._sync.guest import Guest, PendingCall
    from waypost._sync.session import Session
    from waypost._sync.threads import Threads
    from waypost.errors import (
        ApiError,
        BadRequest,
        CallTimeout,
        Closed,
        ConfigError,
        Conflict,
        DecryptionError,
        Forbidden,
        Gone,
        NotFound,
        PreconditionFailed,
        RateLimited,
        SessionOver,
        TooLarge,
        ToolError,
        TransportError,
        Unauthorized,
        Unavailable,
        WaypostError,
    )
    from waypost.host.call import Call
    from waypost.host.host import Host
    from waypost.host.ledger import Entry, Ledger, MemoryLedger
    from waypost.host.results import Media
    from waypost.host.running import HostState
    from waypost.host.sqlite_ledger import SqliteLedger
    from waypost.host.tools import Decision, Question

__all__ = [
    "Answer",
    "ApiError",
    "AsyncAnswer",
    "AsyncChat",
    "AsyncConversation",
    "AsyncDocumentSlot",
    "AsyncDocuments",
    "AsyncGuest",
    "AsyncPages",
    "AsyncPendingCall",
    "AsyncSession",
    "AsyncThreads",
    "AsyncWaypost",
    "BadRequest",
    "Call",
    "CallTimeout",
    "Chat",
    "Closed",
    "ConfigError",
    "Conflict",
    "Conversation",
    "Decision",
    "DecryptionError",
    "DocumentSlot",
    "Documents",
    "Ended",
    "Entry",
    "Forbidden",
    "Gone",
    "Guest",
    "Host",
    "HostState",
    "Ledger",
    "Media",
    "MemoryLedger",
    "NotFound",
    "Pages",
    "PendingCall",
    "PreconditionFailed",
    "Question",
    "RateLimited",
    "Retry",
    "Session",
    "SessionOver",
    "SqliteLedger",
    "Threads",
    "ToolError",
    "TooLarge",
    "TransportError",
    "Unauthorized",
    "Unavailable",
    "Unsendable",
    "Waypost",
    "WaypostError",
]

# Loaded when first used: a program without asyncio does not load it, and one that only calls tools loads no host.
_PLACES = {
    "Answer": "_sync.chat",
    "ApiError": "errors",
    "AsyncAnswer": "_async.chat",
    "AsyncChat": "_async.chat",
    "AsyncConversation": "_async.conversation",
    "AsyncDocumentSlot": "_async.documents",
    "AsyncDocuments": "_async.documents",
    "AsyncGuest": "_async.guest",
    "AsyncPages": "_async.documents",
    "AsyncPendingCall": "_async.guest",
    "AsyncSession": "_async.session",
    "AsyncThreads": "_async.threads",
    "AsyncWaypost": "_async.client",
    "BadRequest": "errors",
    "Call": "host.call",
    "CallTimeout": "errors",
    "Chat": "_sync.chat",
    "Closed": "errors",
    "ConfigError": "errors",
    "Conflict": "errors",
    "Conversation": "_sync.conversation",
    "Decision": "host.tools",
    "DecryptionError": "errors",
    "DocumentSlot": "_sync.documents",
    "Documents": "_sync.documents",
    "Ended": "_core.listening",
    "Entry": "host.ledger",
    "Forbidden": "errors",
    "Gone": "errors",
    "Guest": "_sync.guest",
    "Host": "host.host",
    "HostState": "host.running",
    "Ledger": "host.ledger",
    "Media": "host.results",
    "MemoryLedger": "host.ledger",
    "NotFound": "errors",
    "Pages": "_sync.documents",
    "PendingCall": "_sync.guest",
    "PreconditionFailed": "errors",
    "Question": "host.tools",
    "RateLimited": "errors",
    "Retry": "_core.retrying",
    "Session": "_sync.session",
    "SessionOver": "errors",
    "SqliteLedger": "host.sqlite_ledger",
    "Threads": "_sync.threads",
    "TooLarge": "errors",
    "ToolError": "errors",
    "TransportError": "errors",
    "Unauthorized": "errors",
    "Unavailable": "errors",
    "Unsendable": "_core.plain_json",
    "Waypost": "_sync.client",
    "WaypostError": "errors",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'waypost' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"waypost.{_PLACES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
