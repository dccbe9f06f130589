"""The storage port: what Workers KV offers, and what it does not promise.

No transaction, no compare-and-set. One write a second per key; the next is refused. A change may take 60 s or more to
be seen in another location, also when a `list` shows it already, and **a `get` that found nothing is remembered as
nothing for as long**: so nothing here is read by key before it is known to exist. `list` returns keys sorted by their
UTF-8 bytes, may return an empty page with more to come, and can be as stale as a `get`.
Source: https://developers.cloudflare.com/kv/concepts/how-kv-works/

Values and metadata are text. Metadata is kept as one JSON string, `{"m": text}`: whatever JSON the text holds comes
back to the byte, where an object would be rewritten on its way through JavaScript (1.0 into 1, large numbers rounded).
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

import msgspec

from waypost_worker.limits import KV_MAX_METADATA_BYTES


class KvError(Exception):
    """The store refused or failed (429, 5xx, a time-out). A write may have taken effect all the same."""


class ListedKey(msgspec.Struct, frozen=True):
    """One key of a listing, with the metadata that was written beside its value."""

    name: str
    metadata: str | None = None


class ListPage(msgspec.Struct, frozen=True):
    """Some keys, and the cursor of the next page; `None` when this was the last one, whatever it holds."""

    keys: tuple[ListedKey, ...]
    cursor: str | None = None


class Kv(Protocol):
    """A namespace. Every method may raise `KvError`."""

    async def get(self, key: str) -> str | None:
        """The value, or `None`; both may be up to a minute old."""
        ...

    async def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        """The values of at most 100 keys, as one operation; a key that was not found is not in the answer."""
        ...

    async def put(self, key: str, value: str, *, ttl_seconds: int, metadata: str | None = None) -> None:
        """Write a key that expires after `ttl_seconds` (at least 60)."""
        ...

    async def delete(self, key: str) -> None:
        """Remove a key; removing what is not there is fine."""
        ...

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        """A page of at most `limit` (1 to 1,000) keys that begin with `prefix`, in order."""
        ...


def fits_metadata(text: str) -> bool:
    """Whether `text` can travel as metadata, and so come back with a `list` for free."""
    return len(text) < KV_MAX_METADATA_BYTES and len(wrap_metadata(text)) <= KV_MAX_METADATA_BYTES


def wrap_metadata(text: str) -> bytes:
    """The JSON object that is stored as metadata."""
    return msgspec.json.encode({"m": text})


async def find_key(kv: Kv, key: str) -> ListedKey | None:
    """What is listed under exactly `key`; a list, unlike a get, does not make the platform remember a miss."""
    cursor = None
    while True:
        page = await kv.list(key, cursor=cursor, limit=1)
        if page.keys:
            # Keys that begin with this one come after it.
            return page.keys[0] if page.keys[0].name == key else None
        cursor = page.cursor
        if cursor is None:
            return None


async def list_all(kv: Kv, prefix: str) -> AsyncGenerator[tuple[ListedKey, ...], None]:
    """Every page under `prefix`; an empty page does not end it, only a page without a cursor does."""
    cursor = None
    while True:
        page = await kv.list(prefix, cursor=cursor)
        yield page.keys
        cursor = page.cursor
        if cursor is None:
            return
