"""Conditional writes whose reply was lost: the repeat fails because of the first attempt, which was a success."""

from __future__ import annotations

from waypost._core.effects import Flow
from waypost._core.retrying import Doubt, Retry, sending
from waypost._wire import documents
from waypost.errors import NotFound, PreconditionFailed
from waypost.types import Document, DocumentInfo


def putting(path: str, text: bytes, if_match: str | None, only_new: bool, retry: Retry) -> Flow[DocumentInfo]:
    """Stores a document. If a reply was lost, and the repeat meets a version that is this very text, that is a
    success."""
    doubt = Doubt()
    try:
        return (
            yield from sending(documents.put_document(path, text, if_match=if_match, only_new=only_new), retry, doubt)
        )
    except PreconditionFailed:
        found = (yield from _found(path, retry)) if doubt.is_there else None
        if found is None or found.text.encode() != text:
            raise
        # The same text again changes nothing, and its reply describes what is stored.
        return (yield from sending(documents.put_document(path, text, if_match=found.etag), retry))


def deleting(path: str, if_match: str | None, retry: Retry) -> Flow[None]:
    """Deletes a document. If a reply was lost, and the repeat finds none, the first attempt has deleted it."""
    doubt = Doubt()
    try:
        yield from sending(documents.delete_document(path, if_match=if_match), retry, doubt)
    except (NotFound, PreconditionFailed):
        if not doubt.is_there or (yield from _found(path, retry)) is not None:
            raise


def _found(path: str, retry: Retry) -> Flow[Document | None]:
    try:
        return (yield from sending(documents.read_document(path), retry))
    except NotFound:
        return None
