"""`/mcp/{code}` (also with an MCP address for the code), and `/mcp` with a guest's token: MCP over Streamable HTTP, for
both generations of clients.

Errors of the protocol are JSON-RPC errors with the HTTP status that MCP requires. Errors for which this API has a
problem document are JSON-RPC errors too, with the status of that document.
"""

import re
from codecs import BOM_UTF8
from typing import Any

from waypost_worker.context.auth import bearer, guest_session
from waypost_worker.context.mcp_address import session_at_address
from waypost_worker.context.request_context import RequestContext
from waypost_worker.errors import TokenRequired, WaypostError, WrongRole
from waypost_worker.http.json_body import decode_json, read_bytes
from waypost_worker.http.messages import Response
from waypost_worker.ids import is_mcp_address
from waypost_worker.limits import MAX_BODY_BYTES
from waypost_worker.mcp import legacy, modern
from waypost_worker.mcp.batch import answer_batch
from waypost_worker.mcp.jsonrpc import (
    Incoming,
    RpcError,
    RpcId,
    decode_message,
    encode_error,
    id_of,
)
from waypost_worker.mcp.tab import Tab
from waypost_worker.mcp.transport import accepts, as_rpc_error, json_reply
from waypost_worker.mcp.versions import LEGACY, VERSION_HEADER, VERSION_KEY
from waypost_worker.security.rate_limits import Limit
from waypost_worker.security.tokens import Role
from waypost_worker.telemetry.record import MCP

MEDIA_TYPES = ("application/json", "application/json-rpc", "application/jsonrequest")
"""The second and third are of the drafts for JSON-RPC over HTTP, and older libraries still send them. No page may send
any of them to another origin without a preflight."""

_REVISION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


async def post(context: RequestContext) -> Response:
    """Answers a JSON-RPC message that an MCP client sends to the tab."""
    rpc_id: RpcId | None = None
    try:
        value = decode_json(await _body(context), Any)
        rpc_id = id_of(value)
        accepted = accepts(context.request)
        if isinstance(value, list) and not _is_newer(context):
            return await answer_batch(await _tab(context), value, accepted)
        message = decode_message(value)
        is_modern = _is_modern(context, message)
        tab = await _tab(context)
        if message.id is not None:
            await context.limits.spend(Limit.REQUEST, f"guest:{tab.session.code}")
        answer = modern.answer if is_modern else legacy.answer
        return await answer(tab, message, accepted)
    except (RpcError, WaypostError) as error:
        return _failure(rpc_id, error)


async def get(context: RequestContext) -> Response:
    """The stream of a legacy MCP client: changes of the tools, or the rest of a call (`Last-Event-ID`)."""
    try:
        if _is_newer(context):
            return Response(405, None, {"Allow": "POST"})
        accepted = accepts(context.request)
        return await legacy.resume(await _tab(context), accepted)
    except (RpcError, WaypostError) as error:
        return _failure(None, error)


async def delete(context: RequestContext) -> Response:
    """Refuses with 405: an MCP session is signed, not stored, so there is nothing to end."""
    return Response(405, None, {"Allow": "POST" if _is_newer(context) else "GET, POST"})


async def _body(context: RequestContext) -> bytes:
    # RFC 8259 (section 8.1) lets a parser ignore a byte order mark, which libraries of .NET and PowerShell write.
    return (await read_bytes(context.request, MAX_BODY_BYTES, *MEDIA_TYPES)).removeprefix(BOM_UTF8)


async def _tab(context: RequestContext) -> Tab:
    mcp_session = context.request.headers.get(legacy.SESSION_HEADER) or ""
    code = context.params.get("code")
    if code is not None and is_mcp_address(code):
        session, is_over = await session_at_address(context, code)
        context.record.caller = MCP
        return Tab(context, session, mcp_session, code, is_over)
    if code is None:
        claims = await bearer(context)
        if claims is None:
            raise TokenRequired("Send a guestToken as Authorization: Bearer, or use the URL that contains the code.")
        if claims.role is not Role.GUEST:
            raise WrongRole(f"This is for the session's guests; the token is for its {claims.role}.")
        code = claims.subject
    session = await guest_session(context, code)
    context.record.caller = MCP
    return Tab(context, session, mcp_session)


def _is_newer(context: RequestContext) -> bool:
    version = context.request.headers.get(VERSION_HEADER)
    return version is not None and bool(_REVISION.fullmatch(version)) and version > max(LEGACY)


def _is_modern(context: RequestContext, message: Incoming) -> bool:
    """Whether a message is of the modern generation, which names its revision in each request."""
    return VERSION_KEY in message.meta or (message.method != "initialize" and _is_newer(context))


def _failure(rpc_id: RpcId | None, error: RpcError | WaypostError) -> Response:
    error = as_rpc_error(error)
    response = json_reply(encode_error(rpc_id, error), error.status, error.headers)
    response.code = error.own_code
    return response
