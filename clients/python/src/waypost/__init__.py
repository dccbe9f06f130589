"""The Python client of Waypost: call tools in an open browser tab, keep chats.

`AsyncWaypost` is for asyncio, `Waypost` for everything else.
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
    "CallTimeout",
    "Chat",
    "Closed",
    "ConfigError",
    "Conflict",
    "Conversation",
    "DecryptionError",
    "DocumentSlot",
    "Documents",
    "Ended",
    "Forbidden",
    "Gone",
    "Guest",
    "NotFound",
    "Pages",
    "PendingCall",
    "PreconditionFailed",
    "RateLimited",
    "Retry",
    "Session",
    "SessionOver",
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
