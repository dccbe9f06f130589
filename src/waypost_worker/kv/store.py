"""The storage port: what Workers KV offers, and what it does not guarantee.

No transaction, no compare-and-set. One write per second and key; the next is refused. A change may take 60 s or more to
become visible in another location. Then a `get` may return what its location has cached for 30 s more, even if a `list`
shows the change already, and **a `get` that found nothing is cached as a miss for as long**: so no key is read before
it is known to exist. `list` returns keys sorted by their UTF-8 bytes, may return an empty page with more to come, and
may show a state of 60 s before.
Sources: https://developers.cloudflare.com/kv/concepts/how-kv-works/, and those of `KV_VISIBLE_SECONDS`,
`KV_READ_CACHE_SECONDS` and `KV_LISTING_AGE_SECONDS` in limits.py.

Values and metadata are text; a value may have 25 MiB. Metadata is stored as one JSON string, `{"m": text}`, so that
JSON in it comes back unchanged; an object would be rewritten on its way through JavaScript (1.0 into 1, large numbers
rounded).
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

import msgspec

from waypost_worker.limits import KV_MAX_METADATA_BYTES


class KvError(Exception):
    """The store refused or failed (429, 5xx, a time-out). A write may still have taken effect."""


class DailyLimitReached(KvError):
    """The account is on the free plan, and has used up today's operations of the kind `operation`: get, put, list or
    delete. Nothing was done."""

    def __init__(self, text: str, operation: str) -> None:
        super().__init__(text)
        self.operation = operation


class InvocationLimitReached(KvError):
    """The invocation has used up the operations that the platform allows it. Nothing was done."""


class ListedKey(msgspec.Struct, frozen=True):
    """One key of a listing, with its metadata."""

    name: str
    metadata: str | None = None


class ListPage(msgspec.Struct, frozen=True):
    """Some keys, and the cursor of the next page; `None` if this is the last page. A page may be empty."""

    keys: tuple[ListedKey, ...]
    cursor: str | None = None


class Kv(Protocol):
    """A namespace. Every method may raise `KvError`."""

    async def get(self, key: str) -> str | None:
        """The value, or `None`; both may be from before a change that is visible, for 30 s."""
        ...

    async def get_bytes(self, key: str) -> bytes | None:
        """As `get`, but the value as UTF-8: a large text with one emoji takes four times as much as a `str`."""
        ...

    async def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        """The values of at most 100 keys, as one operation; a key that was not found is not in the result."""
        ...

    async def put(self, key: str, value: str | bytes, *, ttl_seconds: int, metadata: str | None = None) -> None:
        """Writes a key that expires after `ttl_seconds` (at least 60). Bytes are UTF-8 text too, which need not be
        decoded first."""
        ...

    async def delete(self, key: str) -> None:
        """Removes a key; a key that does not exist is no error."""
        ...

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        """A page of at most `limit` (1 to 1,000) keys that begin with `prefix`, in order."""
        ...


WRAPPING_BYTES = len('{"m":""}')


def fits_metadata(text: str) -> bool:
    """Whether `text` fits into metadata, which a `list` returns without another operation."""
    if len(text) >= KV_MAX_METADATA_BYTES:
        return False
    if text.isascii() and text.isprintable():
        # As `wrap_metadata` writes it, without writing it: it is written once it is stored.
        return len(text) + WRAPPING_BYTES + text.count('"') + text.count("\\") <= KV_MAX_METADATA_BYTES
    return len(wrap_metadata(text)) <= KV_MAX_METADATA_BYTES


def wrap_metadata(text: str) -> bytes:
    """The JSON object that is stored as metadata."""
    return msgspec.json.encode({"m": text})


async def find_key(kv: Kv, key: str) -> ListedKey | None:
    """The listing of exactly `key`, or `None`; unlike a `get`, a `list` does not make the platform cache a miss."""
    cursor = None
    while True:
        page = await kv.list(key, cursor=cursor, limit=1)
        if page.keys:
            # Keys that begin with this one come after it.
            return page.keys[0] if page.keys[0].name == key else None
        cursor = page.cursor
        if cursor is None:
            return None


async def list_all(kv: Kv, prefix: str, first: ListPage | None = None) -> AsyncGenerator[tuple[ListedKey, ...], None]:
    """Every page under `prefix`, after the `first` if that is listed already. Only a page without a cursor is the last;
    an empty page may have one."""
    page = first or await kv.list(prefix)
    yield page.keys
    while page.cursor is not None:
        page = await kv.list(prefix, cursor=page.cursor)
        yield page.keys
