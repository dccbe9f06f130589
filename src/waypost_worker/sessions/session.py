"""The store of sessions.

Key `session:{code}`, which expires with the session. The record is written whole. Of two concurrent writes (a renewal
and a change of tools) the later one wins, and the next renewal repairs the record. A session is also refused by its own
`expires_ms`, since KV removes expired keys lazily.

The end is a tombstone, `ended:{code}`, read together with the record in one operation: otherwise a renewal in another
location, made from an older record, could resurrect the session.
"""

from asyncio import gather
from collections.abc import Sequence
from typing import Any

import msgspec

from waypost_worker.bounded_cache import BoundedCache
from waypost_worker.clock import Clock
from waypost_worker.errors import SessionEnded, SessionNotFound, SessionTooOld, StorageUnavailable
from waypost_worker.kv.cursor import CursorFactory
from waypost_worker.kv.keys import ended_key, requests_scope, responses_scope, session_key, tools_key
from waypost_worker.kv.store import Kv, find_key, fits_metadata
from waypost_worker.limits import (
    KV_MIN_TTL_SECONDS,
    MAX_CACHE_BYTES,
    MAX_CACHED_SESSIONS,
    MAX_PAGE_URL_LENGTH,
    MAX_SESSION_AGE_SECONDS,
    SESSION_CACHE_SECONDS,
    TOKEN_VOUCHES_SECONDS,
)
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.polling.wake_up_key import create_wake_up_key


class Session(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The record of a session. `tools_version` changes with the tools; `data` is the host's own JSON.

    `map_tool_names`: the host's setting. `has_mapped_names`: MCP clients see a tool of now under another name than its
    own; without it, no call needs the list of tools to know its tool. `tools_rules`: by which rules
    (`tool_definitions.RULES`) the tools of now were checked; 0: by none.

    `has_wake_up_keys`: the keys of its queues were written when it was opened, so that they may be read.

    `data_left_out`: it comes from a key's metadata, which had no room for `data`.
    """

    code: str
    created_ms: int
    expires_ms: int
    ttl_seconds: int
    active: bool = True
    ip: str | None = None
    label: str | None = None
    data: Any = None
    tools_version: str | None = None
    data_left_out: bool = False
    map_tool_names: bool = True
    has_mapped_names: bool = False
    tools_rules: int = 0
    has_wake_up_keys: bool = False

    @property
    def page_url(self) -> str | None:
        """The host's own page, `data.url`; `None` if it names none that a browser can open, or a very long one."""
        url = self.data.get("url") if isinstance(self.data, dict) else None
        is_web = isinstance(url, str) and url.startswith(("https://", "http://")) and len(url) <= MAX_PAGE_URL_LENGTH
        return url if is_web else None

    @property
    def must_end_ms(self) -> int:
        """The time beyond which no renewal extends the session."""
        return self.created_ms + MAX_SESSION_AGE_SECONDS * 1000


SessionCache = BoundedCache[Session]
"""Code -> record, per isolate, without the host's data (see `_without_data`)."""

RECORD_BYTES = 600
"""What a record costs in memory, besides its label and its URL."""


def session_cache() -> SessionCache:
    """A new cache of sessions."""
    return BoundedCache(MAX_CACHED_SESSIONS, MAX_CACHE_BYTES, SESSION_CACHE_SECONDS)


_decode = msgspec.json.Decoder(Session).decode


class SessionStore:
    """The sessions of one namespace, for one request.

    A record from the cache or the channel has no `data` but its `url`: never write such a record back.
    """

    def __init__(self, kv: Kv, clock: Clock, cache: SessionCache, channel: LocalChannel[Session]) -> None:
        self._kv = kv
        self._clock = clock
        self._cache = cache
        self._channel = channel

    async def open(
        self,
        code: str,
        ttl_seconds: int,
        ip: str | None,
        label: str | None,
        data: Any,
        *,
        map_tool_names: bool = True,
        has_wake_up_keys: bool = False,
    ) -> Session:
        """Opens a session under the new code `code`. `has_wake_up_keys`: with those of its queues."""
        now = self._clock.now_ms()
        # Whole seconds: a token has the session's last moment in seconds, and the two must agree.
        session = Session(
            code,
            now // 1000 * 1000,
            0,
            ttl_seconds,
            ip=ip,
            label=label,
            data=data,
            map_tool_names=map_tool_names,
            has_wake_up_keys=has_wake_up_keys,
        )
        expires_ms = min(now + ttl_seconds * 1000, session.must_end_ms)
        session = msgspec.structs.replace(session, expires_ms=expires_ms)
        scopes = requests_scope(code), responses_scope(code)
        keys = [create_wake_up_key(self._kv, scope) for scope in scopes] if has_wake_up_keys else []
        for outcome in await gather(self._write(session), *keys, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        return session

    async def find(self, code: str, *, fresh: bool = False, vouched_created_ms: int | None = None) -> Session:
        """The live session `code`. Without `fresh`, a record that this isolate read less than 30 s ago is used.

        `vouched_created_ms`: when the session was created according to a signed token. While the session is too young
        to be visible in this location, the token stands in for its record. Never write such a record back.

        Raises:
            SessionNotFound: there is no such session, or it has expired.
            SessionEnded: the host has ended it.
        """
        now = self._clock.now_ms()
        session = None if fresh else self._cache.get(code, now)
        if session is None or session.expires_ms <= now:
            session, _ = await self._read(code)
            if session is None and vouched_created_ms is not None:
                session = _vouched(code, vouched_created_ms, self._clock.now_ms())
        return self._live(session)

    async def find_with(self, code: str, *keys: str) -> tuple[Session, dict[str, str]]:
        """The live session `code`, read from KV, and the values of `keys`, as one operation. None of the keys may be
        one that is still to be written: KV would cache its miss.

        Raises:
            as `find`
        """
        session, values = await self._read(code, keys)
        return self._live(session), values

    def _live(self, session: Session | None) -> Session:
        if session is None or session.expires_ms <= self._clock.now_ms():
            raise SessionNotFound("No session has this code: it was never opened, or it has expired.")
        if not session.active:
            raise SessionEnded("The host has ended this session.")
        return session

    async def extend(self, session: Session) -> Session:
        """Renews `session` for its full time to live.

        Raises:
            SessionTooOld: it has reached the maximum age of a session.
            StorageUnavailable: its `data` is not visible in this location yet; nothing is written.
        """
        _require_data(session)
        if session.expires_ms >= session.must_end_ms:
            raise SessionTooOld("A session lives 24 hours at most; open a new one.")
        expires_ms = min(self._clock.now_ms() + session.ttl_seconds * 1000, session.must_end_ms)
        extended = msgspec.structs.replace(session, expires_ms=expires_ms)
        await self._write(extended)
        return extended

    async def end(self, session: Session) -> None:
        """Ends `session` permanently: writes its tombstone."""
        seconds = max((session.must_end_ms - self._clock.now_ms()) // 1000, KV_MIN_TTL_SECONDS)
        await self._kv.put(ended_key(session.code), "1", ttl_seconds=seconds)
        self._announce(msgspec.structs.replace(session, active=False))

    async def put_tools(
        self, session: Session, tools: bytes, version: str, *, rules: int = 0, has_mapped_names: bool = False
    ) -> Session:
        """Stores the host's tools (a JSON list), and announces the change to the session's streams.

        Raises:
            StorageUnavailable: the session's `data` is not visible in this location yet; nothing is written.
        """
        _require_data(session)
        # They live as long as the session can: writing them again with each renewal would double its cost.
        seconds = (session.must_end_ms - self._clock.now_ms()) // 1000
        await self._kv.put(
            tools_key(session.code),
            tools.decode(),
            ttl_seconds=max(seconds, KV_MIN_TTL_SECONDS),
            metadata=version,
        )
        changed = msgspec.structs.replace(
            session, tools_version=version, tools_rules=rules, has_mapped_names=has_mapped_names
        )
        await self._write(changed)
        return changed

    async def tools(self, session: Session) -> bytes:
        """The host's tools, as a JSON list."""
        # Not by `tools_version`: a renewal in another location may have written back a record older than the tools.
        key = await find_key(self._kv, tools_key(session.code))
        value = await self._kv.get(tools_key(session.code)) if key else None
        return (value or "[]").encode()

    async def _read(self, code: str, keys: Sequence[str] = ()) -> tuple[Session | None, dict[str, str]]:
        """The record, which is then in the cache, and the values of `keys`."""
        values = await self._kv.get_many([session_key(code), ended_key(code), *keys])
        value = values.get(session_key(code))
        if value is None:
            # KV caches a miss, but not a list; so `list` finds a session opened elsewhere just now.
            listed = await find_key(self._kv, session_key(code))
            value = listed.metadata if listed else None
        if value is None:
            return None, values
        session = _decode(value)
        if ended_key(code) in values:
            session = msgspec.structs.replace(session, active=False)
        record = _without_data(session)
        self._cache.put(code, record, self._clock.now_ms(), _size_of(record))
        return session, values

    async def _write(self, session: Session) -> None:
        text = msgspec.json.encode(session).decode()
        core = text
        if not fits_metadata(text):
            core = msgspec.json.encode(msgspec.structs.replace(session, data=None, data_left_out=True)).decode()
        now = self._clock.now_ms()
        seconds = max(-(-(session.expires_ms - now) // 1000), KV_MIN_TTL_SECONDS)
        await self._kv.put(session_key(session.code), text, ttl_seconds=seconds, metadata=core)
        self._announce(session)

    def _announce(self, session: Session) -> None:
        """Caches the new record, and publishes it to the session's streams in this isolate."""
        record = _without_data(session)
        size = _size_of(record)
        self._cache.put(session.code, record, self._clock.now_ms(), size)
        self._channel.publish(session.code, record, size)


def _require_data(session: Session) -> None:
    """Refuses a record that would lose its session's data when it is written back. Its own value is visible within a
    minute, when KV forgets the miss."""
    if session.data_left_out:
        raise StorageUnavailable("The session is not fully visible in this location yet; try again shortly.")


def _without_data(session: Session) -> Session:
    """`session` as it is kept in memory: of its data only the URL, which is all that other requests need."""
    if session.data is None:
        return session
    url = session.page_url
    return msgspec.structs.replace(session, data=None if url is None else {"url": url})


def _size_of(record: Session) -> int:
    # A character takes up to 4 bytes.
    return RECORD_BYTES + 4 * (len(record.label or "") + len(record.page_url or ""))


def _vouched(code: str, created_ms: int, now: int) -> Session | None:
    if now - created_ms >= TOKEN_VOUCHES_SECONDS * 1000:
        return None
    return Session(code, created_ms, created_ms + TOKEN_VOUCHES_SECONDS * 1000, TOKEN_VOUCHES_SECONDS)


def tools_version(cursors: CursorFactory, code: str) -> str:
    """The version of a new set of tools, greater than all before."""
    return cursors.issue(tools_key(code))
