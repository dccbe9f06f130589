"""Conditional writes whose reply was lost: the repeat fails because of the first attempt, which was a success."""

from __future__ import annotations

from waypost._core.effects import Flow
from waypost._core.retrying import Doubt, Retry, sending
from waypost._wire import documents
from waypost.errors import NotFound, PreconditionFailed, TransportError
from waypost.types import Document, DocumentInfo


def putting(path: str, text: bytes, if_match: str | None, only_new: bool, retry: Retry) -> Flow[DocumentInfo]:
    """Stores a document. If a reply was lost, and the repeat meets a version that is this very text, that is a success.

    Raises:
        PreconditionFailed: another editor was faster, and nothing was stored.
        TransportError: a reply was lost, and another text is there: what the lost attempt did can't be told.
    """
    doubt = Doubt()
    put = documents.put_document(path, text, if_match=if_match, only_new=only_new)
    try:
        return (yield from sending(put, retry, doubt))
    except PreconditionFailed as error:
        if not doubt.is_there:
            raise
        found = yield from _found(path, retry)
        if found is None or found.text.encode() != text:
            raise TransportError("A reply was lost, and another editor has written since.") from error
        # The same text again changes nothing, and its reply describes what is stored.
        return (yield from sending(documents.put_document(path, text, if_match=found.etag), retry))


def deleting(path: str, if_match: str | None, retry: Retry) -> Flow[None]:
    """Deletes a document. If a reply was lost, and the repeat finds none, the first attempt has deleted it.

    Raises:
        NotFound, PreconditionFailed: nothing was deleted.
        TransportError: a reply was lost, and another version is there.
    """
    doubt = Doubt()
    try:
        yield from sending(documents.delete_document(path, if_match=if_match), retry, doubt)
    except (NotFound, PreconditionFailed) as error:
        if not doubt.is_there:
            raise
        if (yield from _found(path, retry)) is not None:
            raise TransportError("A reply was lost, and another editor has written since.") from error


def _found(path: str, retry: Retry) -> Flow[Document | None]:
    try:
        return (yield from sending(documents.read_document(path), retry))
    except NotFound:
        return None
