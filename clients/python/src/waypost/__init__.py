"""The Python client of Waypost: call tools in an open browser tab, offer tools from Python, keep chats.

`AsyncWaypost` is for asyncio, `Waypost` for everything else. `Host` offers tools. docs/python.md has examples.
"""

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
