"""Documents: small JSON texts of a session (its intents, its theme, and others by name) that live for a day.

Keys `intents:{sid}`, `theme:{sid}` and `doc:{sid}:{name}`. What was put is what is read, to the byte. The session's id
is the secret that opens them; that a session of this id exists is not asked.

A document is one key that two may write. What they are told of each other is what `etag.py` says.
"""

from typing import Literal, NamedTuple

from waypost_worker.clock import Clock
from waypost_worker.documents.etag import Conditions
from waypost_worker.documents.versioned_text import (
    Version,
    find_version,
    list_versions,
    load_text,
    load_texts,
    put_text,
    version_of,
)
from waypost_worker.errors import DocumentNotFound, TooManyDocuments
from waypost_worker.kv.bulk import batches
from waypost_worker.kv.keys import document_key, documents_prefix, named_document_key
from waypost_worker.kv.store import Kv
from waypost_worker.limits import MAX_DOCUMENTS

Kind = Literal["intents", "theme", "doc"]
SINGLE: tuple[Kind, ...] = ("intents", "theme")
"""The kinds of which a session has one document each, whose name is the kind's."""


class DocumentId(NamedTuple):
    """One document of a session: `name` tells apart those of the kind `doc`."""

    session_id: str
    kind: Kind
    name: str

    @property
    def key(self) -> str:
        """Where it is stored."""
        if self.kind == "doc":
            return named_document_key(self.session_id, self.name)
        return document_key(self.kind, self.session_id)


class Document(NamedTuple):
    """A version, and its text; `None` if who asked has it already."""

    version: Version
    text: str | None


class DocumentStore:
    """The documents of one namespace, as one request sees them."""

    def __init__(self, kv: Kv, clock: Clock) -> None:
        self._kv = kv
        self._clock = clock

    async def read(self, document: DocumentId, conditions: Conditions) -> Document:
        """The document; a version that `conditions` call known costs one operation instead of two.

        Raises:
            DocumentNotFound, PreconditionFailed
        """
        version = await self._found(document)
        if conditions.is_known(version.etag):
            return Document(version, None)
        loaded = await load_text(self._kv, document.key)
        if loaded is None:
            raise _not_found()
        return Document(*loaded)

    async def put(self, document: DocumentId, text: str, conditions: Conditions) -> tuple[Version, bool]:
        """Store `text` for a day; its version, and whether there was none before.

        Raises:
            PreconditionFailed
            TooManyDocuments: it would be one more than a session may have.
        """
        before = await find_version(self._kv, document.key)
        conditions.check_write(before.etag if before else None)
        if before is None and document.kind == "doc" and len(await self.list(document.session_id)) >= MAX_DOCUMENTS:
            raise TooManyDocuments(
                f"A session may have {MAX_DOCUMENTS} documents; delete one, or wait until one expires."
            )
        version = version_of(text, self._clock.now_ms())
        await put_text(self._kv, document.key, version, text)
        return version, before is None

    async def delete(self, document: DocumentId, conditions: Conditions) -> None:
        """Remove the document.

        Raises:
            DocumentNotFound, PreconditionFailed
        """
        conditions.check_write((await self._found(document)).etag)
        await self._kv.delete(document.key)

    async def list(self, session_id: str) -> dict[str, Version]:
        """The named documents of a session, by name, in order."""
        return await list_versions(self._kv, documents_prefix(session_id))

    async def copy(self, from_session_id: str, to_session_id: str) -> None:
        """Give the session `to_session_id` all documents of the other, for a day from now; what it has besides stays.

        Costs three lists, one read for each 100 documents or 4 MiB, and a write for each document: on the free plan
        some 45 documents are as many as one invocation can copy.
        """
        targets: dict[str, str] = {}
        found: dict[str, Version] = {}
        for kind in SINGLE:
            source = DocumentId(from_session_id, kind, kind)
            if version := await find_version(self._kv, source.key):
                targets[source.key] = source._replace(session_id=to_session_id).key
                found[source.key] = version
        for name, version in (await self.list(from_session_id)).items():
            key = named_document_key(from_session_id, name)
            targets[key] = named_document_key(to_session_id, name)
            found[key] = version
        for batch in batches(found, lambda key: found[key].size):
            for key, (_, text) in (await load_texts(self._kv, batch)).items():
                await put_text(self._kv, targets[key], version_of(text, self._clock.now_ms()), text)

    async def _found(self, document: DocumentId) -> Version:
        version = await find_version(self._kv, document.key)
        if version is None:
            raise _not_found()
        return version


def _not_found() -> DocumentNotFound:
    return DocumentNotFound("The session has no such document now: it was never put, or its day is over.")
