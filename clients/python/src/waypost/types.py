"""What the server replies with. Fields that a newer server adds are ignored."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

Role = Literal["assistant", "system", "tool", "user"]


class Model(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The base of all."""


class Tool(Model, frozen=True):
    """A tool that a host offers, as in MCP."""

    name: str
    title: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    output_schema: dict[str, Any] | None = None
    annotations: dict[str, Any] | None = None
    execution: dict[str, Any] | None = None
    icons: list[dict[str, Any]] | None = None
    meta: dict[str, Any] | None = msgspec.field(name="_meta", default=None)


class SessionInfo(Model, frozen=True):
    """A session as its guests see it. `host_online`: whether its host is connected now."""

    code: str
    created_at: datetime
    expires_at: datetime
    active: bool
    label: str | None
    data: Any
    host_online: bool
    host_seen_at: datetime | None
    tools: list[Tool]

    @property
    def encrypted(self) -> bool:
        """Whether the host says that it takes encrypted calls only. The server could say otherwise."""
        return any("waypost/encryption" in (tool.meta or {}) for tool in self.tools)


class SessionRecord(Model, frozen=True):
    """What makes a session its host's: to be kept secret. `key` and `memory` are never sent to the server."""

    base_url: str
    code: str
    host_token: str
    session_id: str
    created_at: datetime
    expires_at: datetime
    label: str | None = None
    data: Any = None
    address: str | None = None
    key: str | None = None
    instance: str | None = None
    """The last host of this session that was kept in a ledger."""
    memory: str = ""
    """The name under which a ledger keeps this session's calls: made here, since a server may use a code twice."""


class ForkedFrom(Model, frozen=True):
    """The thread that a thread was forked from, and the last message that it took over."""

    thread_id: str
    message_id: str | None = None


class ToolCall(Model, frozen=True):
    """A tool call beside a message of an assistant."""

    id: str
    name: str = ""
    args: Any = None


class ToolEvent(Model, frozen=True):
    """What a tool did within an answer. `text`, `reasoning`: how many characters (code points) come before it."""

    kind: Literal["call", "progress", "result"]
    id: str
    name: str = ""
    value: Any = None
    is_error: bool = False
    text: int = 0
    reasoning: int = 0
    step: int = 0


class Message(Model, frozen=True):
    """A message of a conversation. `partial`: an answer that is incomplete, or still running."""

    role: Role
    content: Any
    id: str = ""
    timestamp: datetime | None = None
    partial: bool = False
    tool_calls: list[ToolCall] = []
    tool_call_id: str | None = None
    by_user: bool = False
    reasoning: str = ""
    tool_events: list[ToolEvent] = []


class History(Model, frozen=True):
    """The last messages, oldest first. `truncated`: older ones were cut off, and are not kept. `before`: there are
    older ones that are kept; pass it on to read them."""

    messages: list[Message]
    truncated: bool
    session_id: str | None = None
    before: str | None = None
    forked_from: ForkedFrom | None = None


class Thread(Model, frozen=True):
    """A chat of a resource. `session_id`: a secret, which owns its history, documents and pages."""

    thread_id: str
    resource_id: str
    session_id: str
    created_at: datetime
    updated_at: datetime
    metadata: dict[str, Any] = {}
    forked_from: ForkedFrom | None = None
    agent: str | None = None
    title: str = ""
    archived: bool = False


class ThreadPage(Model, frozen=True):
    """One page of a list of threads. `cursor`: of the next one."""

    sessions: list[Thread]
    cursor: str | None = None


class Deletion(Model, frozen=True):
    """`deleted`: how many threads. `visible_until`: until then another location may show them."""

    deleted: int
    visible_until: datetime


class AppToken(Model, frozen=True):
    """A token for a browser: for the threads of one resource."""

    token: str
    resource_id: str
    expires_at: datetime


class DocumentInfo(Model, frozen=True):
    """A document without its content; `size` in bytes."""

    name: str
    etag: str
    size: int
    updated_at: datetime
    expires_at: datetime


class Document(msgspec.Struct, frozen=True):
    """A document: its value, and the version (`etag`) to pass to `if_match`. `text`: the JSON as it was put."""

    value: Any
    etag: str
    text: str


class PageInfo(Model, frozen=True):
    """A page without its HTML; `size` in bytes. `url`: where it is shown, a path on this server."""

    intent_id: str
    title: str
    etag: str
    size: int
    updated_at: datetime
    expires_at: datetime
    url: str = ""


class Page(Model, frozen=True):
    """A page."""

    intent_id: str
    html: str
    title: str
    updated_at: datetime
    expires_at: datetime


class VoiceReply(Model, frozen=True):
    """A voice agent's answer. `message_count`: how many messages are kept now."""

    response: str
    session_id: str
    message_count: int


class Stopped(Model, frozen=True):
    """Whether an answer was running, and which."""

    stopped: bool
    generation_id: str | None = None


class Health(Model, frozen=True):
    """The state of the server. `code`, `detail`: why it can't be used."""

    status: str
    storage: str
    version: str
    plan: str = ""
    model: str = ""
    limits: dict[str, int] = {}
    daily_limit: dict[str, Any] | None = None
    colo: str | None = None
    placement: str | None = None
    code: str | None = None
    detail: str | None = None
