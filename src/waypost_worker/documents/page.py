"""Pages: HTML that an app generated for one intent, to be looked at by whoever knows the intent's id, for a day.

Key `page:{intentId}`. A page belongs to the session that put it first; only that one may replace or delete it. The
session's id is a secret, so the key holds but a digest of it. `pages:{sid}:{intentId}`, without a value, lists the
pages of a session; it is written after the page and removed before it, so that doing it again repairs what broke off.

Two sessions that take the same id within the minute that KV may be behind both succeed, and the later page stays.
"""

from hashlib import sha256
from hmac import compare_digest
from typing import NamedTuple

import msgspec

from waypost_worker.base64url import encode_base64url
from waypost_worker.clock import Clock
from waypost_worker.documents.etag import Conditions
from waypost_worker.documents.versioned_text import (
    Version,
    find_version,
    list_versions,
    load_text,
    put_text,
    version_with,
)
from waypost_worker.errors import PageNotFound, TooManyDocuments, WrongSession
from waypost_worker.kv.keys import page_key, session_page_key, session_pages_prefix
from waypost_worker.kv.store import Kv
from waypost_worker.limits import DOCUMENT_TTL_SECONDS, MAX_DOCUMENTS


class Page(NamedTuple):
    """A version, and its HTML; `None` if who asked has it already."""

    version: Version
    html: str | None


class PageStore:
    """The pages of one namespace, as one request sees them."""

    def __init__(self, kv: Kv, clock: Clock) -> None:
        self._kv = kv
        self._clock = clock

    async def read(self, intent_id: str, conditions: Conditions) -> Page:
        """The page; a version that `conditions` call known costs one operation instead of two.

        Raises:
            PageNotFound, PreconditionFailed
        """
        version = await self._found(intent_id)
        if conditions.is_known(version.etag):
            return Page(version, None)
        loaded = await load_text(self._kv, page_key(intent_id))
        if loaded is None:
            raise _not_found()
        return Page(*loaded)

    async def put(
        self, intent_id: str, session_id: str, html: str, title: str, conditions: Conditions
    ) -> tuple[Version, bool]:
        """Store a page for a day; its version, and whether there was none before.

        Raises:
            WrongSession: the page is there and belongs to another session.
            PreconditionFailed
            TooManyDocuments: it would be one more than a session may have.
        """
        before = await find_version(self._kv, page_key(intent_id))
        if before is not None:
            _check_owner(before, session_id)
        conditions.check_write(before.etag if before else None)
        if before is None and len(await self.list(session_id)) >= MAX_DOCUMENTS:
            raise TooManyDocuments(f"A session may have {MAX_DOCUMENTS} pages; delete one, or wait until one expires.")
        version = version_with(html, self._clock.now_ms(), title, _owner(session_id))
        await put_text(self._kv, page_key(intent_id), version, html)
        await self._kv.put(
            session_page_key(session_id, intent_id),
            "",
            ttl_seconds=DOCUMENT_TTL_SECONDS,
            metadata=msgspec.json.encode(version).decode(),
        )
        return version, before is None

    async def delete(self, intent_id: str, session_id: str, conditions: Conditions) -> None:
        """Remove a page.

        Raises:
            PageNotFound, PreconditionFailed
            WrongSession: the page belongs to another session.
        """
        version = await self._found(intent_id)
        _check_owner(version, session_id)
        conditions.check_write(version.etag)
        await self._kv.delete(session_page_key(session_id, intent_id))
        await self._kv.delete(page_key(intent_id))

    async def list(self, session_id: str) -> dict[str, Version]:
        """The pages of a session, by their intent's id, in order."""
        return await list_versions(self._kv, session_pages_prefix(session_id))

    async def _found(self, intent_id: str) -> Version:
        version = await find_version(self._kv, page_key(intent_id))
        if version is None:
            raise _not_found()
        return version


def is_owner(version: Version, session_id: str) -> bool:
    """Whether the page belongs to this session."""
    return compare_digest(version.owner, _owner(session_id))


def _owner(session_id: str) -> str:
    return encode_base64url(sha256(session_id.encode()).digest()[:16])


def _check_owner(version: Version, session_id: str) -> None:
    if not is_owner(version, session_id):
        raise WrongSession("The page belongs to another session; only that one may change it.")


def _not_found() -> PageNotFound:
    return PageNotFound("There is no such page now: it was never put, or its day is over.")
