"""MCP addresses: which session a browser's address leads to, and its withdrawal."""

from __future__ import annotations

from tools.openapi.parts import ADDRESS_SECRET, HOST, JSON, Operation, Reply
from tools.openapi.problems import BODY, STORAGE
from tools.openapi.problems import HOST as HOST_PROBLEMS
from waypost_worker.errors import (
    AddressNotAllowed,
    AddressWithdrawn,
    InvalidId,
    NewerSession,
    TokenRequired,
    WrongSecret,
)
from waypost_worker.handlers.mcp_addresses import AddressBody, AddressView

OPERATIONS = {
    "PUT /api/sessions/{code}/address": Operation(
        "takeAddress",
        "mcp",
        HOST,
        {200: Reply("The address, which leads to this session now.", {JSON: AddressView})},
        (*BODY, *HOST_PROBLEMS, AddressNotAllowed, AddressWithdrawn, NewerSession, *STORAGE),
        body={JSON: AddressBody},
        description=(
            "The address is derived from the secret, which its browser keeps: 32 random bytes as base64url. MCP "
            "clients use it at `/mcp/{code}`, in place of a code. It is kept for 30 days after a session took it last."
        ),
    ),
    "DELETE /api/addresses/{address}": Operation(
        "withdrawAddress",
        "mcp",
        ADDRESS_SECRET,
        {204: Reply("The address is withdrawn; its secret can't bring it back.")},
        (InvalidId, TokenRequired, WrongSecret, *STORAGE),
        description="MCP clients that still use it are refused with `address_withdrawn`.",
    ),
}
