"""Documents of a session: any JSON, kept for a day, with versions; and its pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from waypost._async.driver import AsyncDriver
from waypost._core.ids import new_id
from waypost._core.plain_json import to_json
from waypost._core.writing import deleting, putting
from waypost._wire import documents
from waypost.errors import NotFound, PreconditionFailed
from waypost.types import Document, DocumentInfo, Page, PageInfo

UPDATES = 5
"""How often an update begins again because another editor was faster."""


class AsyncDocumentSlot:
    """One place for a document."""

    def __init__(self, driver: AsyncDriver, path: str) -> None:
        self._driver = driver
        self._path = path

    async def get(self) -> Document:
        """Reads it. Raises `NotFound`."""
        return await self._driver.send(documents.read_document(self._path))

    async def put(self, value: Any, *, if_match: str | None = None, only_new: bool = False) -> DocumentInfo:
        """Stores any JSON for a day. `if_match`: only in place of this version; `only_new`: only if there is none.

        Raises:
            PreconditionFailed: another editor was faster.
            Unsendable: the value is not JSON.
        """
        text = to_json(value)
        return await self._driver.run(putting(self._path, text, if_match, only_new, self._driver.retry))

    async def delete(self, *, if_match: str | None = None) -> None:
        """Deletes it. Raises `NotFound`, `PreconditionFailed`."""
        await self._driver.run(deleting(self._path, if_match, self._driver.retry))

    async def update(self, change: Callable[[Any], Any], *, default: Any = None) -> DocumentInfo:
        """Stores what `change` makes of the value, or of `default` if there is none. Begins again if another editor was
        faster, so `change` may be called more than once.

        Raises:
            PreconditionFailed: that happened five times.
            TransportError: a reply was lost, and another editor has written since: the change may be there, or not.
        """
        for attempt in range(1, UPDATES + 1):
            try:
                found = await self.get()
            except NotFound:
                found = None
            value = change(default if found is None else found.value)
            try:
                return await self.put(value, if_match=found.etag if found else None, only_new=found is None)
            except PreconditionFailed:
                if attempt == UPDATES:
                    raise
        raise AssertionError("The last attempt returns or raises.")


class AsyncDocuments:
    """The documents of one session id, which is the secret that owns them."""

    def __init__(self, driver: AsyncDriver, session_id: str) -> None:
        self._driver = driver
        self._session_id = session_id
        self.intents = AsyncDocumentSlot(driver, documents.single_path(session_id, "intents"))
        self.theme = AsyncDocumentSlot(driver, documents.single_path(session_id, "theme"))

    def document(self, name: str) -> AsyncDocumentSlot:
        """The place of this name."""
        return AsyncDocumentSlot(self._driver, documents.document_path(self._session_id, name))

    async def list(self) -> list[DocumentInfo]:
        """Lists the named documents."""
        return await self._driver.send(documents.list_documents(self._session_id))

    async def get(self, name: str) -> Document:
        """Reads a document. Raises `NotFound`."""
        return await self.document(name).get()

    async def put(self, name: str, value: Any, *, if_match: str | None = None, only_new: bool = False) -> DocumentInfo:
        """Stores a document: see `AsyncDocumentSlot.put`."""
        return await self.document(name).put(value, if_match=if_match, only_new=only_new)

    async def delete(self, name: str, *, if_match: str | None = None) -> None:
        """Deletes a document. Raises `NotFound`, `PreconditionFailed`."""
        await self.document(name).delete(if_match=if_match)

    async def update(self, name: str, change: Callable[[Any], Any], *, default: Any = None) -> DocumentInfo:
        """Changes a document: see `AsyncDocumentSlot.update`."""
        return await self.document(name).update(change, default=default)


class AsyncPages:
    """The pages of one session id. Each is kept for a day, and shown at an address that can be shared."""

    def __init__(self, driver: AsyncDriver, session_id: str) -> None:
        self._driver = driver
        self._session_id = session_id

    async def list(self) -> list[PageInfo]:
        """Lists the pages."""
        return await self._driver.send(documents.list_pages(self._session_id))

    async def get(self, intent_id: str) -> Page:
        """Reads a page. Raises `NotFound`."""
        return await self._driver.send(documents.read_page(intent_id))

    async def put(self, html: str, *, title: str | None = None, intent_id: str | None = None) -> PageInfo:
        """Stores a page, or a new version of it."""
        call = documents.put_page(self._session_id, intent_id or new_id(), html, title)
        return await self._driver.send(call)

    async def delete(self, intent_id: str) -> None:
        """Deletes a page. Raises `NotFound`."""
        await self._driver.send(documents.delete_page(self._session_id, intent_id))

    def url(self, intent_id: str) -> str:
        """Where a page is shown, in a sandbox."""
        return f"{self._driver.config.base_url}{documents.page_path(intent_id)}"
