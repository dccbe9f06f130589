"""MCP addresses: a browser lets its address lead to another session, or withdraws it. Most are taken when a session is
opened, in `handlers/sessions.py`."""

import hmac

import msgspec

from waypost_worker.clock import to_iso
from waypost_worker.context.auth import host_session
from waypost_worker.context.mcp_address import require_addresses
from waypost_worker.context.request_context import RequestContext
from waypost_worker.errors import InvalidId, TokenRequired, WrongSecret
from waypost_worker.handlers.sessions import AddressSecret
from waypost_worker.http.authorization import bearer_token
from waypost_worker.http.json_body import Body, read_body
from waypost_worker.http.messages import Response, json_response
from waypost_worker.ids import is_mcp_address
from waypost_worker.sessions.mcp_address import address_of


class AddressBody(Body, frozen=True):
    """The MCP address to take."""

    secret: AddressSecret
    """The secret that the address is derived from: 32 random bytes as base64url, which the browser keeps."""
    claim: bool = False
    """Takes the address also from a newer session."""


class AddressView(msgspec.Struct, rename="camel"):
    """An MCP address, and the session that it leads to."""

    address: str
    """The address, the last part of the URL `/mcp/{address}`."""
    code: str
    """The code of the session that it leads to."""
    expires_at: str
    """When it is forgotten, unless a session takes it again."""


async def take(context: RequestContext) -> Response:
    """Let the MCP address of a secret lead to this session. Without `claim`, a newer session keeps the address."""
    require_addresses(context)
    body = await read_body(context.request, AddressBody)
    session = await host_session(context, context.params["code"], fresh=True)
    address, addresses = address_of(body.secret), context.mcp_addresses()
    await addresses.check(address, None if body.claim else session)
    expires_ms = await addresses.take(address, session)
    return json_response(AddressView(address, session.code, to_iso(expires_ms)))


async def withdraw(context: RequestContext) -> Response:
    """Withdraw an MCP address for good. Its secret is sent as `Authorization: Bearer`."""
    address, secret = context.params["address"], bearer_token(context.request)
    if not is_mcp_address(address):
        raise InvalidId("An MCP address has 32 small letters and digits, as opening the session returned it.")
    if not secret:
        raise TokenRequired("Send the secret of the address as Authorization: Bearer.")
    if not hmac.compare_digest(address_of(secret), address):
        raise WrongSecret("The secret is not that of this address.")
    await context.mcp_addresses().withdraw(address)
    return Response(204)
