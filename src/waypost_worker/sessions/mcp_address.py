"""MCP addresses: a browser keeps a secret, and the address that is derived from it leads to the newest session that was
opened with this secret. So an MCP client is configured once, though each session has another code.

Key `address:{address}`, written when a session is opened or takes the address over; it expires 30 days later. Nothing
is stored of the secret, and nothing is needed to check it: the address is a digest of it. A withdrawal is a key of its
own, never overwritten: otherwise a session opened in another location, which does not see the withdrawal yet, could
bring the address back. Both are read together, in one operation.

Which session is the newest is decided by the time at which each took the address, which the record has. What this
isolate has seen outlives KV's delay, so here no older record and no record before a withdrawal is used again.
"""

from hashlib import sha256
from typing import NamedTuple

import msgspec

from waypost_worker.bounded_cache import BoundedCache
from waypost_worker.clock import Clock
from waypost_worker.errors import AddressNotFound, AddressWithdrawn, NewerSession
from waypost_worker.ids import CROCKFORD
from waypost_worker.kv.keys import address_key, withdrawn_key
from waypost_worker.kv.store import Kv, fits_metadata, list_all
from waypost_worker.limits import (
    ADDRESS_CACHE_SECONDS,
    ADDRESS_TTL_SECONDS,
    ADDRESS_UNSURE_SECONDS,
    MAX_CACHE_BYTES,
    MAX_CACHED_ADDRESSES,
    MCP_ADDRESS_LENGTH,
    REORDER_WINDOW_SECONDS,
    WITHDRAWN_TTL_SECONDS,
)
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.sessions.session import Session

_DOMAIN = b"waypost mcp address 1\n"
_DIGITS = CROCKFORD.lower()

RECORD_BYTES = 400
"""What a record costs in memory, besides its URL."""


def address_of(secret: str) -> str:
    """The address that belongs to `secret`: 160 bits of its SHA-256, in the letters of a code, but twice as many as a
    code can have. It does not reveal the secret."""
    number = int.from_bytes(sha256(_DOMAIN + secret.encode()).digest(), "big")
    return "".join(_DIGITS[number >> 5 * place & 31] for place in range(MCP_ADDRESS_LENGTH))


class AddressRecord(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The session that an address leads to, when that session was created, and when it took the address. `url`: the
    page of its host, to be opened again."""

    code: str
    created_ms: int
    taken_ms: int
    url: str | None = None


class FoundAddress(NamedTuple):
    """An address as it was at `read_ms`. `is_over`: its session was looked up since, and is over."""

    record: AddressRecord
    read_ms: int
    is_over: bool


class KnownAddress(NamedTuple):
    """What this isolate knows of an address. `record`: `None` if no session has it."""

    record: AddressRecord | None
    is_withdrawn: bool
    read_ms: int
    is_over: bool = False


class AddressCache:
    """The addresses that an isolate knows. Those that do not exist are apart, so that guesses push out no others."""

    def __init__(self) -> None:
        self.known: BoundedCache[KnownAddress] = BoundedCache(
            MAX_CACHED_ADDRESSES, MAX_CACHE_BYTES, REORDER_WINDOW_SECONDS
        )
        self.unknown: BoundedCache[bool] = BoundedCache(MAX_CACHED_ADDRESSES, MAX_CACHE_BYTES, ADDRESS_UNSURE_SECONDS)


_decode = msgspec.json.Decoder(AddressRecord).decode


class McpAddresses:
    """The MCP addresses of one namespace, for one request. `channel` tells the streams of this isolate that an address
    has changed."""

    def __init__(self, kv: Kv, clock: Clock, cache: AddressCache, channel: LocalChannel[bool]) -> None:
        self._kv = kv
        self._clock = clock
        self._cache = cache
        self._channel = channel

    async def check(self, address: str, unless_newer_than: Session | None = None) -> None:
        """Checks that a session may take `address`, as far as this location knows.

        Raises:
            AddressWithdrawn
            NewerSession: another session has taken it after `unless_newer_than` was created.
        """
        # Listed, not read: KV would cache the misses of a new address.
        known = self._merge(address, await self._list(address))
        if known.is_withdrawn:
            raise _withdrawn()
        session, record = unless_newer_than, known.record
        if session is None or record is None or record.code == session.code:
            return
        # In whole seconds, as the creation of a session is.
        if record.taken_ms // 1000 > session.created_ms // 1000:
            raise NewerSession("A newer session has this MCP address. To take it over, send claim: true.")

    async def take(self, address: str, session: Session) -> int:
        """Makes `address` lead to `session`; call `check` before. Returns when the address expires, in milliseconds."""
        now = self._clock.now_ms()
        known = self._cache.known.get(address, now)
        # Later than what it replaces, also if that was written by a location whose clock is ahead.
        taken_ms = max(now, known.record.taken_ms + 1) if known and known.record else now
        record = AddressRecord(session.code, session.created_ms, taken_ms, session.page_url)
        text = msgspec.json.encode(record).decode()
        core = text if fits_metadata(text) else msgspec.json.encode(msgspec.structs.replace(record, url=None)).decode()
        await self._kv.put(address_key(address), text, ttl_seconds=ADDRESS_TTL_SECONDS, metadata=core)
        self._merge(address, KnownAddress(record, False, now))
        self._channel.publish(address, True)
        return now + ADDRESS_TTL_SECONDS * 1000

    async def withdraw(self, address: str) -> None:
        """Withdraws `address` for good."""
        await self._kv.put(withdrawn_key(address), "1", ttl_seconds=WITHDRAWN_TTL_SECONDS, metadata="1")
        self._merge(address, KnownAddress(None, True, self._clock.now_ms()))
        self._channel.publish(address, True)

    async def find(self, address: str, *, since_ms: int | None = None) -> FoundAddress:
        """The session that has `address`, as this isolate read it less than 30 s ago (10 s, if its session is over),
        and not before `since_ms`.

        Raises:
            AddressNotFound: no session has taken it for 30 days.
            AddressWithdrawn
        """
        now = self._clock.now_ms()
        known = self._cache.known.get(address, now)
        if known is None and self._cache.unknown.get(address, now):
            raise _not_found()
        if known is None or now >= _fresh_until(known) or (since_ms is not None and known.read_ms < since_ms):
            known = await self._read(address)
        if known.is_withdrawn:
            raise _withdrawn()
        if known.record is None:
            self._cache.unknown.put(address, True, self._clock.now_ms())
            raise _not_found()
        return FoundAddress(known.record, known.read_ms, known.is_over)

    def note_over(self, address: str, found: FoundAddress) -> None:
        """Remembers that the session of `found` is over until the address is read again, in 10 s at the latest: so the
        session is not looked up for each call."""
        cached = self._cache.known.get(address, self._clock.now_ms())
        if cached is not None and cached.record == found.record:
            self._remember(address, cached._replace(is_over=True))

    async def _read(self, address: str) -> KnownAddress:
        now = self._clock.now_ms()
        values = await self._kv.get_many([address_key(address), withdrawn_key(address)])
        value = values.get(address_key(address))
        is_withdrawn = withdrawn_key(address) in values
        if value is None and not is_withdrawn:
            # KV caches a miss, but not a list; so `list` finds an address that was taken just now.
            return self._merge(address, await self._list(address))
        return self._merge(address, KnownAddress(None if value is None else _decode(value), is_withdrawn, now))

    async def _list(self, address: str) -> KnownAddress:
        now = self._clock.now_ms()
        found = {key.name: key.metadata async for page in list_all(self._kv, address_key(address)) for key in page}
        text = found.get(address_key(address))
        return KnownAddress(_decode(text) if text else None, withdrawn_key(address) in found, now)

    def _merge(self, address: str, read: KnownAddress) -> KnownAddress:
        """`read`, or what this isolate knows better: KV may be behind, and another request may have been faster."""
        known = self._cache.known.get(address, self._clock.now_ms())
        if known is not None:
            records = [record for record in (known.record, read.record) if record is not None]
            newest = max(records, key=lambda record: record.taken_ms, default=None)
            read = KnownAddress(newest, known.is_withdrawn or read.is_withdrawn, max(known.read_ms, read.read_ms))
        if read.record is not None or read.is_withdrawn:
            self._remember(address, read)
        return read

    def _remember(self, address: str, known: KnownAddress) -> None:
        url = known.record.url if known.record else None
        self._cache.known.put(address, known, self._clock.now_ms(), RECORD_BYTES + 4 * len(url or ""))


def _fresh_until(known: KnownAddress) -> int:
    return known.read_ms + (ADDRESS_UNSURE_SECONDS if known.is_over else ADDRESS_CACHE_SECONDS) * 1000


def _withdrawn() -> AddressWithdrawn:
    return AddressWithdrawn(
        "This MCP address was withdrawn. Open the page it belonged to, copy the new address from there, and put it "
        "into the client's configuration."
    )


def _not_found() -> AddressNotFound:
    return AddressNotFound(
        "No browser has this MCP address, or none has opened a session with it for 30 days. Open the page again, and "
        "compare the address that it shows with the client's configuration."
    )
