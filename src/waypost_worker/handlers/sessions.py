"""`/api/sessions`: a host opens a session, guests join it with its code."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from waypost_worker.clock import to_iso
from waypost_worker.context.auth import host_session, issue_token, session_by_code, session_to_read
from waypost_worker.context.mcp_address import require_addresses
from waypost_worker.context.request_context import RequestContext
from waypost_worker.errors import InvalidBody
from waypost_worker.http.json_body import Body, decode_again, read_body
from waypost_worker.http.messages import Response, json_response
from waypost_worker.ids import new_code, parse_id
from waypost_worker.kv.keys import host_key
from waypost_worker.kv.together import together
from waypost_worker.limits import (
    ADDRESS_SECRET_LENGTH,
    MAX_LABEL_LENGTH,
    MAX_SESSION_AGE_SECONDS,
    MAX_SESSION_DATA_BYTES,
    MAX_TOOLS,
    MIN_SESSION_TTL_SECONDS,
)
from waypost_worker.security.tokens import Role, owner_id
from waypost_worker.sessions.host_instance import parse_instance
from waypost_worker.sessions.host_seat import HostNotice
from waypost_worker.sessions.mcp_address import address_of
from waypost_worker.sessions.session import Session, tools_version
from waypost_worker.sessions.tool_definitions import RULES, checked_tools
from waypost_worker.sessions.tool_names import original_names

AddressSecret = Annotated[
    str,
    # Python's `$` is also before a last line break; JSON Schema's is not.
    Meta(pattern=rf"^[A-Za-z0-9_-]{{{ADDRESS_SECRET_LENGTH}}}(?!\n)$"),
]
"""The secret of an MCP address: 32 random bytes as base64url, made by the browser that keeps it."""


class OpenBody(Body, frozen=True):
    """`ttl` in seconds. `mapToolNames`: MCP clients see tools whose names the APIs of models refuse under mapped names
    (`cart.add` as `cart_add`). `addressSecret`: the secret of the MCP address that is to lead to this session."""

    ttl: Annotated[int, Meta(ge=MIN_SESSION_TTL_SECONDS, le=MAX_SESSION_AGE_SECONDS)] | None = None
    label: Annotated[str, Meta(max_length=MAX_LABEL_LENGTH)] | None = None
    data: msgspec.Raw | UnsetType = UNSET
    map_tool_names: bool = True
    address_secret: AddressSecret | None = None


class ToolsBody(Body, frozen=True):
    """Tools as in MCP; fields that MCP does not know are stored unchanged."""

    tools: Annotated[list[dict[str, Any]], Meta(max_length=MAX_TOOLS)]


class JoinBody(Body, frozen=True):
    """`id` makes joining idempotent where a code is single-use: choose one that no other client has."""

    id: str | None = None


class LeaveBody(Body, frozen=True):
    """`instance`: the one that leaves, as its stream named it; `None` for a host that names none."""

    instance: str | None = None


class SessionView(msgspec.Struct, rename="camel"):
    """A session as shown to every caller who has its code."""

    code: str
    created_at: str
    expires_at: str
    active: bool
    label: str | None
    data: Any


class OpenedView(SessionView):
    """A session as shown to its host once, when it is opened.

    `sessionId` owns the session's documents and pages: a secret, like the token. `address`: the MCP address, if the
    session was opened with the secret of one.
    """

    ip: str | None
    host_token: str
    session_id: str
    address: str | UnsetType = UNSET


class DetailedView(SessionView):
    """A session with its host's presence and tools. `guests`: "shared", because each guest may read, acknowledge and
    cancel the requests of all."""

    host_online: bool
    host_seen_at: str | None
    tools: msgspec.Raw
    guests: Literal["shared"] = "shared"


class JoinedView(msgspec.Struct, rename="camel"):
    """A guest's token."""

    code: str
    guest_token: str
    expires_at: str


class ToolsView(msgspec.Struct):
    """The tools that the session now offers, normalised: nulls are left out, and each has an `inputSchema`."""

    tools: list[dict[str, Any]]


async def create(context: RequestContext) -> Response:
    """Open a session. The caller becomes its host. With `addressSecret`, its MCP address leads to this session from now
    on."""
    body = await read_body(context.request, OpenBody)
    data = _data(body.data)
    address = UNSET if body.address_secret is None else address_of(body.address_secret)
    if address is not UNSET:
        require_addresses(context)
        await context.mcp_addresses().check(address)
    ttl_seconds = body.ttl or context.settings.session_ttl_seconds
    code = new_code(context.random, context.settings.code_length)
    ip, maps = context.request.client_ip, body.map_tool_names
    session = await context.sessions().open(
        code, ttl_seconds, ip, body.label, data, map_tool_names=maps, has_wake_up_keys=context.wakes
    )
    if address is not UNSET:
        await context.mcp_addresses().take(address, session)
    token, _ = issue_token(context, session, Role.HOST)
    session_id = owner_id(context.settings.signing_keys[0], session.code)
    view = OpenedView(*_common(session), session.ip, token, session_id, address)
    return json_response(view, 201, {"Location": f"/api/sessions/{session.code}"})


async def read(context: RequestContext) -> Response:
    """Read a session, the presence of its host, and its tools."""
    session = await session_to_read(context, context.params["code"])
    (online, seen_ms), text = await together(
        context.presence().last_seen(session.code), context.sessions().tools(session)
    )
    seen_at, tools = None if seen_ms is None else to_iso(seen_ms), msgspec.Raw(text)
    return json_response(DetailedView(*_common(session), online, seen_at, tools))


async def delete(context: RequestContext) -> Response:
    """End a session for all its participants."""
    session = await host_session(context, context.params["code"], fresh=True)
    await context.sessions().end(session)
    return Response(204)


async def extend(context: RequestContext) -> Response:
    """Renew a session: it gets its full time to live again."""
    session = await host_session(context, context.params["code"], fresh=True)
    return json_response(SessionView(*_common(await context.sessions().extend(session))))


async def join(context: RequestContext) -> Response:
    """Join a session: returns a guest's token for its code."""
    body = await read_body(context.request, JoinBody)
    join_id = None if body.id is None else parse_id(body.id, "id")
    session = await session_by_code(context, context.params["code"])
    if context.settings.code_joins_once:
        await context.single_use_codes().consume(session.code, session.must_end_ms, join_id)
    token, expires_ms = issue_token(context, session, Role.GUEST)
    return json_response(JoinedView(session.code, token, to_iso(expires_ms)))


async def leave(context: RequestContext) -> Response:
    """Say that a host leaves: it is offline from now on, not only when its heartbeats are missed."""
    body = await read_body(context.request, LeaveBody)
    instance = None
    if body.instance is not None:
        instance, _ = parse_instance(body.instance, context.clock.now_ms())
    session = await host_session(context, context.params["code"])
    instance_id = "" if instance is None else instance.id
    await context.presence().leave(session.code, instance_id)
    if not instance_id:
        # One that polls again is online again immediately.
        context.isolate.announced_ms.put(session.code, 0, context.clock.now_ms())
    context.isolate.hosts.publish(host_key(session.code), HostNotice(instance_id, has_left=True))
    return Response(204)


async def put_tools(context: RequestContext) -> Response:
    """Replace the tools that the host offers. One invalid definition refuses the list, and the previous one stays."""
    body = await read_body(context.request, ToolsBody)
    session = await host_session(context, context.params["code"], fresh=True)
    maps = session.map_tool_names
    tools = checked_tools(body.tools, map_names=maps)
    has_mapped_names = maps and bool(original_names([tool["name"] for tool in tools]))
    version = tools_version(context.isolate.cursors, session.code)
    text = msgspec.json.encode(tools)
    await context.sessions().put_tools(session, text, version, rules=RULES, has_mapped_names=has_mapped_names)
    return json_response(ToolsView(tools))


def _common(session: Session) -> tuple[str, str, str, bool, str | None, Any]:
    return (
        session.code,
        to_iso(session.created_ms),
        to_iso(session.expires_ms),
        session.active,
        session.label,
        session.data,
    )


def _data(sent: msgspec.Raw | UnsetType) -> Any:
    if sent is UNSET:
        return None
    if len(sent) > MAX_SESSION_DATA_BYTES and len(msgspec.json.format(sent, indent=-1)) > MAX_SESSION_DATA_BYTES:
        raise InvalidBody(
            f"The data of a session may have {MAX_SESSION_DATA_BYTES} bytes as JSON. Send more in the arguments and "
            "results of calls, or as a document of the session."
        )
    return decode_again(bytes(sent), Any)
