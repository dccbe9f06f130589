"""`/api/sessions/{sid}/intents`, `…/theme`, `…/documents/{name}`: JSON that is stored for a day and returned unchanged.

The session's id is the secret: its holder may read and write.
"""

import msgspec

from waypost_worker.clock import to_iso
from waypost_worker.context.auth import owned_id
from waypost_worker.context.request_context import RequestContext
from waypost_worker.documents.document import SINGLE, DocumentId, DocumentStore
from waypost_worker.documents.etag import parse_conditions
from waypost_worker.documents.versioned_text import Version
from waypost_worker.http.json_body import read_json_text
from waypost_worker.http.messages import Response, json_response, tagged_response
from waypost_worker.ids import parse_id
from waypost_worker.kv.keys import documents_prefix
from waypost_worker.security.rate_limits import Limit


class DocumentView(msgspec.Struct, rename="camel"):
    """A document without its content."""

    name: str
    """The document's name."""
    etag: str
    """Its version, as the header `ETag` has it."""
    size: int
    """Bytes of its content."""
    updated_at: str
    """When it was last put."""
    expires_at: str
    """When it expires, unless it is put again."""


class DocumentsView(msgspec.Struct):
    """The named documents of a session."""

    documents: list[DocumentView]
    """Each document; intents and theme are not among them."""
    count: int
    """Their number."""


async def read(context: RequestContext) -> Response:
    """Read a document, byte for byte as it was stored."""
    version, text = await _store(context).read(await _document(context), parse_conditions(context.request.headers.get))
    body = None if text is None else text.encode()
    return tagged_response(body, version.etag, {"Content-Type": "application/json"})


async def put(context: RequestContext) -> Response:
    """Store a document for a day."""
    document, conditions = await _document(context), parse_conditions(context.request.headers.get)
    text = await read_json_text(context.request)
    await context.limits.spend(Limit.APPEND, documents_prefix(document.session_id))
    version, is_new = await _store(context).put(document, text, conditions)
    return json_response(_view(document.name, version), 201 if is_new else 200, {"ETag": version.etag})


async def delete(context: RequestContext) -> Response:
    """Delete a document."""
    document, conditions = await _document(context), parse_conditions(context.request.headers.get)
    await context.limits.spend(Limit.APPEND, documents_prefix(document.session_id))
    await _store(context).delete(document, conditions)
    return Response(204)


async def list_documents(context: RequestContext) -> Response:
    """List the named documents of a session, sorted by name."""
    found = await _store(context).list(await owned_id(context, context.params["sid"], "session id"))
    views = [_view(name, version) for name, version in found.items()]
    return json_response(DocumentsView(views, len(views)))


def _store(context: RequestContext) -> DocumentStore:
    return DocumentStore(context.kv, context.clock)


async def _document(context: RequestContext) -> DocumentId:
    session_id = await owned_id(context, context.params["sid"], "session id")
    if "name" in context.params:
        return DocumentId(session_id, "doc", parse_id(context.params["name"], "document's name"))
    # The routes of the other kinds end in the kind.
    [kind] = [kind for kind in SINGLE if context.request.path.endswith(f"/{kind}")]
    return DocumentId(session_id, kind, kind)


def _view(name: str, version: Version) -> DocumentView:
    return DocumentView(name, version.etag, version.size, to_iso(version.updated_ms), to_iso(version.expires_ms))
