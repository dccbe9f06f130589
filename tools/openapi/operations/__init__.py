"""Each operation beyond its types, one file a resource; `ALL` has them by method and template."""

from __future__ import annotations

from collections.abc import Mapping

from tools.openapi.operations import (
    chats,
    conversations,
    documents,
    mcp,
    mcp_addresses,
    pages,
    queues,
    resources,
    service,
    sessions,
    streams,
    threads,
    tokens,
    voice,
)
from tools.openapi.parts import Operation

ALL: Mapping[str, Operation] = {
    **sessions.OPERATIONS,
    **queues.OPERATIONS,
    **streams.OPERATIONS,
    **chats.OPERATIONS,
    **threads.OPERATIONS,
    **resources.OPERATIONS,
    **tokens.OPERATIONS,
    **voice.OPERATIONS,
    **conversations.OPERATIONS,
    **documents.OPERATIONS,
    **pages.OPERATIONS,
    **mcp.OPERATIONS,
    **mcp_addresses.OPERATIONS,
    **service.OPERATIONS,
}
