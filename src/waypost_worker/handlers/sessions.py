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
    """How to open a session."""

    ttl: Annotated[int, Meta(ge=MIN_SESSION_TTL_SECONDS, le=MAX_SESSION_AGE_SECONDS)] | None = None
    """Seconds that it lasts without a renewal; an open stream of the host renews it. Default: what the deployment sets,
    or 600."""
    label: Annotated[str, Meta(max_length=MAX_LABEL_LENGTH)] | None = None
    """A name for people, shown to those who join."""
    data: msgspec.Raw | UnsetType = UNSET
    """Any JSON of the host's own, shown to all who may read the session. MCP clients are shown `data.url` as the tab's
    page."""
    map_tool_names: bool = True
    """MCP clients see tools whose names the APIs of models refuse under mapped names (`cart.add` as `cart_add`)."""
    address_secret: AddressSecret | None = None
    """The secret of the MCP address that is to lead to this session."""


class ToolsBody(Body, frozen=True):
    """The tools that a host offers."""

    tools: Annotated[list[dict[str, Any]], Meta(max_length=MAX_TOOLS)]
    """Tools as in MCP; fields that MCP does not know are stored unchanged."""


class JoinBody(Body, frozen=True):
    """How to join."""

    id: str | None = None
    """Makes joining idempotent where a code is single-use: choose one that no other client has."""


class LeaveBody(Body, frozen=True):
    """Which run of the host leaves."""

    instance: str | None = None
    """The instance, as its stream's event `ready` named it. Default: a host that names none."""


class SessionView(msgspec.Struct, rename="camel"):
    """A session as shown to every caller who has its code."""

    code: str
    """The session's code, without spaces and dashes."""
    created_at: str
    """When it was opened."""
    expires_at: str
    """When it expires, unless it is renewed."""
    active: bool
    """True: a session that was ended is not shown, but refused with `session_ended`."""
    label: str | None
    """Its name for people; null if it has none."""
    data: Any
    """The host's own JSON; null if it has none."""


class OpenedView(SessionView):
    """A session as shown to its host once, when it is opened."""

    ip: str | None
    """The network address of its host, as the service saw it; null if that is not known."""
    host_token: str
    """The token that makes its bearer the host. A secret; it can't be read again."""
    session_id: str
    """Owns the session's documents and pages. A secret, like the token."""
    address: str | UnsetType = UNSET
    """The MCP address that leads to the session, if its secret was sent."""


class DetailedView(SessionView):
    """A session with its host's presence and tools."""

    host_online: bool
    """Whether its host has given a sign of life recently, and no goodbye."""
    host_seen_at: str | None
    """When the host gave its last sign of life; null if it gave none within 24 hours."""
    tools: msgspec.Raw
    """The tools that the host offers; none before it says which."""
    guests: Literal["shared"] = "shared"
    """`shared`: each guest may read, acknowledge and cancel the requests of all."""


class JoinedView(msgspec.Struct, rename="camel"):
    """A guest's token, and what it is for."""

    code: str
    """The session's code, without spaces and dashes."""
    guest_token: str
    """Makes its bearer a guest of this session."""
    expires_at: str
    """When the token expires: at the greatest age of the session."""


class ToolsView(msgspec.Struct):
    """The tools that the session now offers."""

    tools: list[dict[str, Any]]
    """The list, normalised: nulls are left out, and each tool has an `inputSchema`."""


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
