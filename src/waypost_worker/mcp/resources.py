"""The pages and documents of the tab as resources: those that its host has put under the session id that it was given
when it opened the session. The code, which guests have, is not that id: they can read these, and only the host writes.
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
from waypost_worker.mcp.jsonrpc import RpcError, invalid_params
from waypost_worker.mcp.tab import Tab

PAGES = "waypost://pages/"
DOCUMENTS = "waypost://documents/"


async def list_resources(tab: Tab) -> list[dict[str, Any]]:
    """All of them, pages first, each kind in order."""
    return [resource for session_id in tab.session_ids for resource in await _resources_of(tab, session_id)]


async def _resources_of(tab: Tab, session_id: str) -> list[dict[str, Any]]:
    kv = tab.context.kv
    pages = await PageStore(kv, tab.context.clock).list(session_id)
    found = [
        _resource(PAGES + intent_id, version.title or intent_id, "text/html", version)
        for intent_id, version in pages.items()
    ]
    for kind in SINGLE:
        if version := await find_version(kv, DocumentId(session_id, kind, kind).key):
            found.append(_resource(DOCUMENTS + kind, kind, "application/json", version))
    documents = await DocumentStore(kv, tab.context.clock).list(session_id)
    return found + [
        _resource(DOCUMENTS + name, name, "application/json", version)
        for name, version in documents.items()
        if name not in SINGLE
    ]


async def read_resource(tab: Tab, uri: Any, not_found: int) -> list[dict[str, Any]]:
    """What `uri` names, as the `contents` of `resources/read`. `not_found`: the code of the error if it is not there.

    Raises:
        RpcError
    """
    if not isinstance(uri, str):
        raise invalid_params("uri is a text.")
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
    # Others may be read by their id all over the world, but they are not this tab's.
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
