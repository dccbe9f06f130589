"""`/mcp/{code}`, and `/mcp` with a guest's token: MCP over Streamable HTTP, for both generations of clients.

What the protocol has an error for is answered in its terms, with the HTTP status that it wants; what this API has a
problem document for, with the status of that one.
"""

import re
from typing import Any

from waypost_worker.context.auth import bearer, guest_session
from waypost_worker.context.call import Call
from waypost_worker.errors import TokenRequired, WaypostError, WrongRole
from waypost_worker.http.json_body import decode_json, read_bytes
from waypost_worker.http.messages import STATUS, Response, problem_response
from waypost_worker.mcp import legacy, modern
from waypost_worker.mcp.jsonrpc import (
    Incoming,
    RpcError,
    RpcId,
    decode_message,
    encode_error,
    id_of,
    of_problem,
)
from waypost_worker.mcp.tab import Tab
from waypost_worker.mcp.transport import accepts, json_reply
from waypost_worker.mcp.versions import LEGACY, VERSION_HEADER, VERSION_KEY
from waypost_worker.security.rate_limits import Limit
from waypost_worker.security.tokens import Role

_REVISION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


async def post(call: Call) -> Response:
    """A JSON-RPC message of an MCP client to the tab."""
    rpc_id: RpcId | None = None
    try:
        value = decode_json(await read_bytes(call.request), Any)
        rpc_id = id_of(value)
        accepted = accepts(call.request)
        message = decode_message(value)
        is_modern = _is_modern(call, message)
        tab = await _tab(call)
        if message.id is not None:
            await call.limits.spend(Limit.REQUEST, f"guest:{tab.session.code}")
        answer = modern.answer if is_modern else legacy.answer
        return await answer(tab, message, accepted)
    except (RpcError, WaypostError) as error:
        return _failure(rpc_id, error)


async def get(call: Call) -> Response:
    """The stream of a legacy MCP client: what is new about the tools, or the rest of a call (`Last-Event-ID`)."""
    try:
        if _is_newer(call):
            return Response(405, None, {"Allow": "POST"})
        accepted = accepts(call.request)
        return await legacy.resume(await _tab(call), accepted)
    except (RpcError, WaypostError) as error:
        return _failure(None, error)


async def delete(call: Call) -> Response:
    """Refused: a session of the protocol is signed, not stored, so there is nothing to end."""
    return Response(405, None, {"Allow": "POST" if _is_newer(call) else "GET, POST"})


async def _tab(call: Call) -> Tab:
    code = call.params.get("code")
    if code is None:
        claims = await bearer(call)
        if claims is None:
            raise TokenRequired("Send a guestToken as Authorization: Bearer, or use the URL that has the code in it.")
        if claims.role is not Role.GUEST:
            raise WrongRole(f"This is for the session's guests; the token is for its {claims.role}.")
        code = claims.subject
    session = await guest_session(call, code)
    return Tab(call, session, call.request.headers.get(legacy.SESSION_HEADER) or "")


def _is_newer(call: Call) -> bool:
    version = call.request.headers.get(VERSION_HEADER)
    return version is not None and bool(_REVISION.fullmatch(version)) and version > max(LEGACY)


def _is_modern(call: Call, message: Incoming) -> bool:
    """Whether a message is of the generation that says so in each request."""
    return VERSION_KEY in message.meta or (message.method != "initialize" and _is_newer(call))


def _failure(rpc_id: RpcId | None, error: RpcError | WaypostError) -> Response:
    if isinstance(error, WaypostError):
        headers = problem_response(error).headers
        told = {name: value for name, value in headers.items() if name in ("WWW-Authenticate", "Retry-After")}
        error = of_problem(error, STATUS[error.code], told)
    return json_reply(encode_error(rpc_id, error), error.status, error.headers)
