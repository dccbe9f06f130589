"""The tools of the tab as MCP lists them: the host's own definitions, in its order, passed through unchanged.

One KV operation reads them together with the host's presence. Both may be a minute old. While the host has not stored
any tools, they are looked up with `list`, which caches no miss.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import msgspec

from waypost_worker.clock import to_iso
from waypost_worker.context.isolate import CachedTools
from waypost_worker.kv.keys import host_key, tools_key
from waypost_worker.limits import (
    PRESENCE_GRACE_SECONDS,
    TOOLS_PER_PAGE,
)
from waypost_worker.mcp.jsonrpc import RpcError, invalid_params
from waypost_worker.mcp.tab import Tab

HOST_KEY = "waypost/host"
"""In a list's `_meta`, if the tab is away: since when, and what to open. The tools are then the last known ones."""


class _Tool(msgspec.Struct):
    name: str
    inputSchema: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


TOOL_BYTES = 400
"""What a cached definition costs in memory besides its JSON, its name included."""

_MATTERS = re.compile(rb'"execution"|x-mcp-header')
"""Also true for a tool that has these words elsewhere: its definition is then cached for nothing. Stored tools are
encoded by msgspec, which escapes none of these characters."""

_raw_tools = msgspec.json.Decoder(list[msgspec.Raw]).decode
_read_tool = msgspec.json.Decoder(_Tool).decode


async def list_tools(tab: Tab, cursor: Any) -> dict[str, Any]:
    """One page of the tools: the result of `tools/list`.

    Raises:
        RpcError: `cursor` is not the `nextCursor` of a page of these tools.
    """
    text, seen_ms = await _read(tab)
    tools = _raw_tools(text)
    start = _after(tools, cursor)
    page = tools[start : start + TOOLS_PER_PAGE]
    result: dict[str, Any] = {"tools": [_complete(tool) for tool in page]}
    if start + TOOLS_PER_PAGE < len(tools):
        result["nextCursor"] = urlsafe_b64encode(_read_tool(page[-1]).name.encode()).decode()
    lifetime_ms = (tab.context.settings.plan.presence_seconds + 2 * PRESENCE_GRACE_SECONDS) * 1000
    if seen_ms is None or tab.now_ms() - seen_ms >= lifetime_ms:
        seen_at = None if seen_ms is None else to_iso(seen_ms)
        result["_meta"] = {HOST_KEY: {"online": False, "seenAt": seen_at, "open": tab.link()}}
    return result


async def known_tool(tab: Tab, name: str) -> dict[str, Any] | None:
    """The host's definition of the tool `name` if a call needs it (see `_needed_by_calls`); otherwise `None`.

    Costs a KV operation if the tools have changed since this isolate read them, or 30 s have passed.
    """
    code, version, now = tab.session.code, tab.session.tools_version, tab.now_ms()
    if version is None:
        return None
    mcp_tools = tab.context.isolate.mcp_tools
    # It does not keep them for ever: what was read just after a change may have been the tools before it.
    cached = mcp_tools.get(code, now)
    if cached is None or cached.version != version:
        text, _ = await _read(tab)
        by_name = _needed_by_calls(text)
        cached = CachedTools(version, by_name)
        mcp_tools.put(code, cached, now, sum(map(len, by_name.values())) + TOOL_BYTES * len(by_name))
    definition = cached.by_name.get(name)
    return None if definition is None else msgspec.json.decode(definition, type=dict[str, Any])


def _needed_by_calls(text: bytes) -> dict[str, bytes]:
    """By name, the tools whose definition a call has to know: those with `execution`, or with `x-mcp-header`. As JSON:
    decoded, a definition may take twenty times as much memory."""
    tools = {_read_tool(tool).name: bytes(tool) for tool in _raw_tools(text)}
    return {name: tool for name, tool in tools.items() if _MATTERS.search(tool)}


async def _read(tab: Tab) -> tuple[bytes, int | None]:
    code = tab.session.code
    if tab.session.tools_version is None:
        text = await tab.context.sessions().tools(tab.session)
        return text, tab.now_ms()
    values = await tab.context.kv.get_many([tools_key(code), host_key(code)])
    seen = values.get(host_key(code), "")
    return values.get(tools_key(code), "[]").encode(), int(seen) if seen else None


def _after(tools: list[msgspec.Raw], cursor: Any) -> int:
    if cursor is None or cursor == "":
        return 0
    if isinstance(cursor, str):
        try:
            last = urlsafe_b64decode(cursor.encode()).decode()
        except ValueError:
            raise _bad_cursor() from None
        # By name, not by number: tools added or removed before it do not shift the page.
        for number, tool in enumerate(tools):
            if _read_tool(tool).name == last:
                return number + 1
    raise _bad_cursor()


def _bad_cursor() -> RpcError:
    return invalid_params("The cursor is not of this list, or the tools have changed; list them from the start.")


def _complete(tool: msgspec.Raw) -> Any:
    """`tool` unchanged, or with an empty schema if it has none: a host may omit the schema, MCP may not."""
    if _read_tool(tool).inputSchema is not msgspec.UNSET:
        return tool
    return {**msgspec.json.decode(tool), "inputSchema": {"type": "object"}}
