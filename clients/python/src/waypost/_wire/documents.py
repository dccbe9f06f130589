"""Documents and pages, with their versions."""

from __future__ import annotations

import msgspec

from waypost._core.messages import Call, Reply, segment
from waypost._wire.making import given, json_request, member, nothing, raw_request, reading
from waypost.types import Document, DocumentInfo, Page, PageInfo


def document_path(session_id: str, name: str) -> str:
    return f"/api/sessions/{segment(session_id)}/documents/{segment(name)}"


def single_path(session_id: str, kind: str) -> str:
    """The path of `intents` or `theme`."""
    return f"/api/sessions/{segment(session_id)}/{kind}"


def read_document(path: str) -> Call[Document]:
    return Call(json_request("GET", path), _read_document)


def _read_document(reply: Reply) -> Document:
    return Document(reply.json(), reply.headers.get("etag", ""), reply.body.decode())


def put_document(path: str, value: bytes, *, if_match: str | None = None, only_new: bool = False) -> Call[DocumentInfo]:
    return Call(raw_request("PUT", path, value, headers=_conditions(if_match, only_new)), reading(DocumentInfo))


def delete_document(path: str, *, if_match: str | None = None) -> Call[None]:
    return Call(json_request("DELETE", path, headers=_conditions(if_match, False)), nothing)


def list_documents(session_id: str) -> Call[list[DocumentInfo]]:
    path = f"/api/sessions/{segment(session_id)}/documents"
    return Call(json_request("GET", path), member(list[DocumentInfo], "documents"))


def page_path(intent_id: str) -> str:
    """Where a page is shown to people."""
    return f"/pages/{segment(intent_id)}"


def list_pages(session_id: str) -> Call[list[PageInfo]]:
    path = f"/api/sessions/{segment(session_id)}/pages"
    return Call(json_request("GET", path), member(list[PageInfo], "pages"))


def read_page(intent_id: str) -> Call[Page]:
    return Call(json_request("GET", f"/api/pages/{segment(intent_id)}"), reading(Page))


def put_page(
    session_id: str, intent_id: str, html: str, title: str | None, *, if_match: str | None = None
) -> Call[PageInfo]:
    body = {"html": html, "title": title, "sessionId": session_id}
    path = f"/api/pages/{segment(intent_id)}"
    request = json_request("PUT", path, body)
    headers = request.headers | _conditions(if_match, False)
    return Call(msgspec.structs.replace(request, headers=headers), reading(PageInfo))


def delete_page(session_id: str, intent_id: str) -> Call[None]:
    path = f"/api/pages/{segment(intent_id)}"
    return Call(json_request("DELETE", path, query=given(sessionId=session_id)), nothing)


def _conditions(if_match: str | None, only_new: bool) -> dict[str, str]:
    if if_match is not None:
        return {"if-match": if_match}
    return {"if-none-match": "*"} if only_new else {}
