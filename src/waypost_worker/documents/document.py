"""Documents: small JSON texts of a session (its intents, its theme, and others by name) that live for a day.

Keys `intents:{sid}`, `theme:{sid}` and `doc:{sid}:{name}`. A read returns the bytes that were put, unchanged. The
session id is the secret that gives access; whether such a session exists is not checked.

Of concurrent writes to a document the last one stays. `etag.py` says how far conditional requests prevent that.
"""

from functools import partial
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
from waypost_worker.kv.bulk import batches, delete_all
from waypost_worker.kv.keys import document_key, documents_prefix, named_document_key
from waypost_worker.kv.store import Kv
from waypost_worker.kv.together import a_few_at_once, together
from waypost_worker.limits import MAX_DOCUMENTS

Kind = Literal["intents", "theme", "doc"]
SINGLE: tuple[Kind, ...] = ("intents", "theme")
"""The kinds of which a session has one document each; its name is the kind."""


class DocumentId(NamedTuple):
    """The id of a document: `name` distinguishes the session's documents of kind `doc`."""

    session_id: str
    kind: Kind
    name: str

    @property
    def key(self) -> str:
        """Its key in KV."""
        if self.kind == "doc":
            return named_document_key(self.session_id, self.name)
        return document_key(self.kind, self.session_id)


class Document(NamedTuple):
    """A version, and its text; `None` if the reader has this version already."""

    version: Version
    text: str | None


class DocumentStore:
    """The documents of one namespace, as one request sees them."""

    def __init__(self, kv: Kv, clock: Clock) -> None:
        self._kv = kv
        self._clock = clock

    async def read(self, document: DocumentId, conditions: Conditions) -> Document:
        """Returns the document. Costs one operation if the reader has this version already, two otherwise.

        Raises:
            DocumentNotFound: the session has no such document.
            PreconditionFailed: If-Match does not name the version.
        """
        version = await self._existing(document)
        if conditions.is_known(version.etag):
            return Document(version, None)
        loaded = await load_text(self._kv, document.key)
        if loaded is None:
            raise _not_found()
        return Document(*loaded)

    async def put(self, document: DocumentId, text: str, conditions: Conditions) -> tuple[Version, bool]:
        """Stores `text` for a day. Returns its version, and whether the document is new.

        Raises:
            PreconditionFailed: the conditions exclude the version that exists, or require one.
            TooManyDocuments: the document is new, and the session has `MAX_DOCUMENTS` named ones.
        """
        if document.kind == "doc":
            # One list tells whether it exists and how many there are.
            others = await self.list(document.session_id)
            before, is_full = others.get(document.name), len(others) >= MAX_DOCUMENTS
        else:
            before, is_full = await find_version(self._kv, document.key), False
        conditions.check_write(before.etag if before else None)
        if before is None and is_full:
            raise TooManyDocuments(
                f"A session may have {MAX_DOCUMENTS} documents; delete one, or wait until one expires."
            )
        version = version_of(text, self._clock.now_ms())
        await put_text(self._kv, document.key, version, text)
        return version, before is None

    async def delete(self, document: DocumentId, conditions: Conditions) -> None:
        """Deletes the document.

        Raises:
            DocumentNotFound: the session has no such document.
            PreconditionFailed: the conditions exclude the version that exists.
        """
        conditions.check_write((await self._existing(document)).etag)
        await self._kv.delete(document.key)

    async def delete_all(self, session_id: str) -> None:
        """Deletes all documents of a session: one list, and one operation for each document and each kind of
        `SINGLE`."""
        keys = [named_document_key(session_id, name) for name in await self.list(session_id)]
        await delete_all(self._kv, [*keys, *(document_key(kind, session_id) for kind in SINGLE)])

    async def list(self, session_id: str) -> dict[str, Version]:
        """The session's named documents: name -> version, sorted by name."""
        return await list_versions(self._kv, documents_prefix(session_id))

    async def copy(self, from_session_id: str, to_session_id: str) -> None:
        """Copies all documents of a session to another one, for a day from now. Its other documents stay.

        Costs three lists, one read for each 100 documents or 4 MiB, and a write for each document: on the free plan
        one invocation can copy some 45 documents.
        """
        targets: dict[str, str] = {}
        versions: dict[str, Version] = {}
        sources = [DocumentId(from_session_id, kind, kind) for kind in SINGLE]
        singles = together(*(find_version(self._kv, source.key) for source in sources))
        found, named = await together(singles, self.list(from_session_id))
        for source, single in zip(sources, found, strict=True):
            if single is not None:
                targets[source.key] = source._replace(session_id=to_session_id).key
                versions[source.key] = single
        for name, version in named.items():
            key = named_document_key(from_session_id, name)
            targets[key] = named_document_key(to_session_id, name)
            versions[key] = version
        for batch in batches(versions, lambda key: versions[key].size):
            texts = [(targets[key], text) for key, (_, text) in (await load_texts(self._kv, batch)).items()]
            await a_few_at_once([partial(self._put_text, key, text) for key, text in texts])

    async def _put_text(self, key: str, text: str) -> None:
        await put_text(self._kv, key, version_of(text, self._clock.now_ms()), text)

    async def _existing(self, document: DocumentId) -> Version:
        version = await find_version(self._kv, document.key)
        if version is None:
            raise _not_found()
        return version


def _not_found() -> DocumentNotFound:
    return DocumentNotFound("The session has no such document: it was never put, was deleted, or has expired.")
