"""Pages: HTML that an app generated for one intent, readable for a day by anyone who knows the intent's id.

Key `page:{intentId}`. A page belongs to the session that first put it; only that session may replace or delete it. The
session id is a secret, so the page has only a digest of it. The key `pages:{sid}:{intentId}`, without a value, indexes
the pages of a session. It is written together with the page and deleted before it, so that repeating an operation that
failed halfway completes it. An isolate that dies in between may leave a listed page without content, until the put is
repeated or its day is over.

If two sessions put the same id within the minute that KV may be behind, both succeed, and the later page stays.
"""

from contextlib import suppress
from functools import partial
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
from waypost_worker.errors import PageNotFound, TooManyDocuments, Unavailable, WrongSession
from waypost_worker.kv.keys import page_key, session_page_key, session_pages_prefix
from waypost_worker.kv.store import Kv, KvError
from waypost_worker.kv.together import a_few_at_once, together
from waypost_worker.limits import DOCUMENT_TTL_SECONDS, MAX_DOCUMENTS


class Page(NamedTuple):
    """A version, and its HTML; `None` if the reader has this version already."""

    version: Version
    html: str | None


class PageStore:
    """The pages of one namespace, as one request sees them."""

    def __init__(self, kv: Kv, clock: Clock) -> None:
        self._kv = kv
        self._clock = clock

    async def read(self, intent_id: str, conditions: Conditions) -> Page:
        """Returns the page. Costs one operation if the reader has this version already, two otherwise.

        Raises:
            PageNotFound: no page has this id.
            PreconditionFailed: If-Match does not name the version.
        """
        version = await self._existing(intent_id)
        if conditions.is_known(version.etag):
            return Page(version, None)
        loaded = await load_text(self._kv, page_key(intent_id))
        if loaded is None:
            raise _not_found()
        return Page(*loaded)

    async def put(
        self, intent_id: str, session_id: str, html: str, title: str, conditions: Conditions
    ) -> tuple[Version, bool]:
        """Stores a page for a day. Returns its version, and whether the page is new.

        Raises:
            WrongSession: the page exists and belongs to another session.
            PreconditionFailed: the conditions exclude the version that exists, or require one.
            TooManyDocuments: the page is new, and the session has `MAX_DOCUMENTS` pages.
        """
        before = await find_version(self._kv, page_key(intent_id))
        if before is not None:
            _check_owner(before, session_id)
        conditions.check_write(before.etag if before else None)
        if before is None and len(await self.list(session_id)) >= MAX_DOCUMENTS:
            raise TooManyDocuments(f"A session may have {MAX_DOCUMENTS} pages; delete one, or wait until one expires.")
        version = version_with(html, self._clock.now_ms(), title, _owner(session_id))
        try:
            await together(
                put_text(self._kv, page_key(intent_id), version, html),
                self._kv.put(
                    session_page_key(session_id, intent_id),
                    "",
                    ttl_seconds=DOCUMENT_TTL_SECONDS,
                    metadata=msgspec.json.encode(version).decode(),
                ),
            )
        except (KvError, Unavailable):
            if before is None:
                # A page that may not be there is not listed.
                with suppress(KvError, Unavailable):
                    await self._kv.delete(session_page_key(session_id, intent_id))
            raise
        return version, before is None

    async def delete(self, intent_id: str, session_id: str, conditions: Conditions) -> None:
        """Deletes a page.

        Raises:
            PageNotFound: no page has this id.
            WrongSession: the page belongs to another session.
            PreconditionFailed: the conditions exclude the version that exists.
        """
        version = await self._existing(intent_id)
        _check_owner(version, session_id)
        conditions.check_write(version.etag)
        await self._kv.delete(session_page_key(session_id, intent_id))
        await self._kv.delete(page_key(intent_id))

    async def delete_all(self, session_id: str) -> None:
        """Deletes all pages of a session: one list, and three operations for each page."""
        pages = await self.list(session_id)
        await a_few_at_once([partial(self._delete_if_own, intent_id, session_id) for intent_id in pages])

    async def _delete_if_own(self, intent_id: str, session_id: str) -> None:
        version = await find_version(self._kv, page_key(intent_id))
        # Another session may have put the same id at the same time, and its page is the one that stayed.
        if version is not None and is_owner(version, session_id):
            await self._kv.delete(page_key(intent_id))
        # Last: without it, a deletion that is repeated would not find the page.
        await self._kv.delete(session_page_key(session_id, intent_id))

    async def list(self, session_id: str) -> dict[str, Version]:
        """The session's pages: intent id -> version, sorted by id."""
        return await list_versions(self._kv, session_pages_prefix(session_id))

    async def _existing(self, intent_id: str) -> Version:
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
    return PageNotFound("There is no such page: it was never put, was deleted, or has expired.")
