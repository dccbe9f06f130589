"""The pages and documents of a tab as MCP resources: those that its host stored under the `sessionId` of the session.

Guests have the session's code, which is not that id: they can read the resources, and only the host can write them.
"""

from contextlib import suppress
from typing import Any

from waypost_worker.clock import to_iso
from waypost_worker.documents.document import SINGLE, DocumentId, DocumentStore, Kind
from waypost_worker.documents.etag import UNCONDITIONAL
from waypost_worker.documents.page import PageStore, is_owner
from waypost_worker.documents.versioned_text import Version, find_version
from waypost_worker.errors import InvalidId, Missing
from waypost_worker.ids import parse_id
from waypost_worker.mcp.closed_tab import require_open
from waypost_worker.mcp.jsonrpc import RpcError, invalid_params
from waypost_worker.mcp.tab import Tab

PAGES = "waypost://pages/"
DOCUMENTS = "waypost://documents/"


async def list_resources(tab: Tab) -> list[dict[str, Any]]:
    """The `resources` of `resources/list`: pages first, then documents, each in order of their names; none if the
    session is over."""
    if tab.is_over:
        return []
    return [resource for session_id in tab.session_ids for resource in await _resources_of(tab, session_id)]


async def _resources_of(tab: Tab, session_id: str) -> list[dict[str, Any]]:
    kv = tab.context.kv
    pages = await PageStore(kv, tab.context.clock).list(session_id)
    resources = [
        _resource(PAGES + intent_id, version.title or intent_id, "text/html", version)
        for intent_id, version in pages.items()
    ]
    for kind in SINGLE:
        if version := await find_version(kv, DocumentId(session_id, kind, kind).key):
            resources.append(_resource(DOCUMENTS + kind, kind, "application/json", version))
    documents = await DocumentStore(kv, tab.context.clock).list(session_id)
    return resources + [
        _resource(DOCUMENTS + name, name, "application/json", version)
        for name, version in documents.items()
        if name not in SINGLE
    ]


async def read_resource(tab: Tab, uri: Any, not_found: int) -> list[dict[str, Any]]:
    """The `contents` of `resources/read` for `uri`. `not_found`: the error code for a resource that does not exist.

    Raises:
        RpcError: `not_found`, or `uri` is no string, or the session is over.
    """
    await require_open(tab)
    if not isinstance(uri, str):
        raise invalid_params("uri must be a string.")
    try:
        if uri.startswith(PAGES):
            text, media_type = await _page(tab, parse_id(uri.removeprefix(PAGES), "page's id")), "text/html"
        elif uri.startswith(DOCUMENTS):
            name = parse_id(uri.removeprefix(DOCUMENTS), "document's name")
            text, media_type = await _document(tab, name), "application/json"
        else:
            text, media_type = None, ""
    except (InvalidId, Missing):
        text = None
    if text is None:
        raise RpcError(not_found, "Resource not found", {"uri": uri[:256]})
    return [{"uri": uri, "mimeType": media_type, "text": text}]


async def _page(tab: Tab, intent_id: str) -> str | None:
    version, html = await PageStore(tab.context.kv, tab.context.clock).read(intent_id, UNCONDITIONAL)
    # Any page can be read by its id over HTTP, but only the tab's own are its resources.
    return html if any(is_owner(version, session_id) for session_id in tab.session_ids) else None


async def _document(tab: Tab, name: str) -> str | None:
    kind: Kind = next((kind for kind in SINGLE if kind == name), "doc")
    store = DocumentStore(tab.context.kv, tab.context.clock)
    for session_id in tab.session_ids:
        with suppress(Missing):
            return (await store.read(DocumentId(session_id, kind, name), UNCONDITIONAL)).text
    return None


def _resource(uri: str, name: str, media_type: str, version: Version) -> dict[str, Any]:
    annotations = {"lastModified": to_iso(version.updated_ms)}
    return {"uri": uri, "name": name, "mimeType": media_type, "size": version.size, "annotations": annotations}
