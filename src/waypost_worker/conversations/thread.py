"""Threads: names that an app chose for conversations, with metadata and fork lineage.

Key `thread:{resource}:{thread}`, both percent-encoded, for 30 days after the thread was used last
(`THREAD_TTL_SECONDS`), as long as its conversation. The key's metadata holds the record without the older ancestors, so
that a `list` alone finds a thread or shows those of a resource. The value holds the lineage if it is longer than one.

The session id of a new thread's conversation is derived from its name and the signing key. So two first messages in
two locations that do not see each other's record go into the same conversation, and the id can't be guessed without the
key. An existing record takes precedence, so that replacing the key loses no thread.

A record is written whole, and may have been a minute old or not yet visible when it was read: of two writers within
that time the later one's record stays. Both have the same conversation.
"""

import hmac
from collections.abc import Sequence
from typing import Any

import msgspec

from waypost_worker.base64url import encode_base64url
from waypost_worker.bounded_cache import BoundedCache
from waypost_worker.clock import Clock
from waypost_worker.conversations.message import ForkOrigin
from waypost_worker.errors import InvalidBody
from waypost_worker.kv.keys import thread_id_of, thread_key
from waypost_worker.kv.store import Kv, ListedKey, find_key, fits_metadata
from waypost_worker.limits import (
    KV_MIN_TTL_SECONDS,
    MAX_LINEAGE,
    MAX_METADATA_BYTES,
    MAX_METADATA_NAME_LENGTH,
    MAX_RECENT_THREADS,
    MAX_RECENT_THREADS_BYTES,
    REORDER_WINDOW_SECONDS,
    THREAD_TTL_SECONDS,
)

ID_PREFIX = "t-"
"""The session ids of threads' conversations begin with it; ids that clients choose should not."""

TAG_LENGTH = 8
"""Characters (48 bits) of a session id that identify the thread's resource to a holder of the signing key."""


class Thread(msgspec.Struct, frozen=True):
    """A thread's record. `session_id` names its conversation.

    `lineage`: fork origins, the nearest ancestor first. `lineage_is_cut`: there are more; `ThreadStore.lineage_of`
    reads them. A thread's title, its metadata and `archived` can be changed without using it.
    """

    resource_id: str
    thread_id: str
    session_id: str
    created_ms: int
    updated_ms: int
    metadata: dict[str, Any] = {}
    agent: str | None = None
    lineage: list[ForkOrigin] = []
    lineage_is_cut: bool = False
    title: str = ""
    archived: bool = False
    written_ms: int = 0

    @property
    def changed_ms(self) -> int:
        """When the record was last written; an old record does not say, but was written when the thread was used."""
        return max(self.written_ms, self.updated_ms)

    @property
    def forked_from(self) -> ForkOrigin | None:
        """The nearest ancestor; `None` if the thread is no fork."""
        return self.lineage[0] if self.lineage else None


class RecentWrites:
    """The threads that this isolate wrote or deleted in the last minutes, since a listing may not show that yet: within
    an isolate, requests read their writes.

    Plain data that may be lost at any time; `None` stands for a deleted thread.
    """

    def __init__(self) -> None:
        self._written: BoundedCache[tuple[int, Thread | None]] = BoundedCache(
            MAX_RECENT_THREADS, MAX_RECENT_THREADS_BYTES, REORDER_WINDOW_SECONDS + 1
        )

    def record(self, key: str, thread: Thread | None, now_ms: int) -> None:
        """Remembers that the record `key` was written, or deleted if `thread` is `None`."""
        # Decoded: an empty array of 3 bytes takes 60, and so does a short name or number.
        size = 0
        if thread is not None:
            metadata = len(msgspec.json.encode(thread.metadata))
            size = 1000 + 4 * len(thread.title) + 20 * metadata + 400 * len(thread.lineage)
        self._written.put(key, (now_ms, thread), now_ms, size)

    def newest(self, key: str, listed: Thread | None, now_ms: int) -> Thread | None:
        """The newer of the listed and the remembered record; `None` if there is none, or the thread was deleted."""
        written_ms, remembered = self._written.get(key, now_ms) or (0, None)
        if now_ms - written_ms > REORDER_WINDOW_SECONDS * 1000:
            return listed
        if listed is not None and listed.changed_ms > (remembered.changed_ms if remembered else written_ms):
            return listed
        return remembered


class _Record(msgspec.Struct, frozen=True, array_like=True):
    """The key's metadata. An array, since KV bounds metadata to 1,024 bytes, in which each quote counts twice."""

    session_id: str
    created_ms: int
    updated_ms: int
    metadata: dict[str, Any]
    agent: str | None
    parent_id: str | None
    parent_message_id: str | None
    has_older_ancestors: bool
    # Records from before these fields existed end here.
    title: str = ""
    is_archived: bool = False
    written_ms: int = 0


def is_of_resource(session_id: str, resource_id: str, secrets: Sequence[bytes]) -> bool:
    """Whether `session_id` was derived for a thread of `resource_id` with one of `secrets`."""
    return session_id[: len(ID_PREFIX) + TAG_LENGTH] in session_prefixes(resource_id, secrets)


def session_prefixes(resource_id: str, secrets: Sequence[bytes]) -> list[str]:
    """What the session ids of the threads of `resource_id` begin with that were derived with one of `secrets`."""
    return [f"{ID_PREFIX}{_digest(secret, 'resource', resource_id)[:TAG_LENGTH]}" for secret in secrets]


def _digest(secret: bytes, *name: str) -> str:
    return encode_base64url(hmac.digest(secret, msgspec.json.encode(name), "sha256"))


_decode_record = msgspec.json.Decoder(_Record).decode
_decode_lineage = msgspec.json.Decoder(list[ForkOrigin]).decode


class ThreadStore:
    """The threads of one namespace, as one request sees them."""

    def __init__(
        self, kv: Kv, clock: Clock, secret: bytes, recent: RecentWrites, ttl_seconds: int = THREAD_TTL_SECONDS
    ) -> None:
        self._ttl_seconds = ttl_seconds
        self._kv = kv
        self._clock = clock
        self._secret = secret
        self._recent = recent

    def session_id_for(self, resource_id: str, thread_id: str) -> str:
        """The session id for a thread that has no record yet."""
        name = _digest(self._secret, "thread", resource_id, thread_id)
        return f"{ID_PREFIX}{_digest(self._secret, 'resource', resource_id)[:TAG_LENGTH]}{name[:-TAG_LENGTH]}"

    def begin(
        self, resource_id: str, thread_id: str, agent: str | None = None, metadata: dict[str, Any] | None = None
    ) -> Thread:
        """A new thread, not saved yet."""
        session_id, now = self.session_id_for(resource_id, thread_id), self._clock.now_ms()
        return Thread(resource_id, thread_id, session_id, now, now, metadata or {}, agent, written_ms=now)

    async def fork(
        self,
        parent: Thread,
        thread_id: str,
        message_id: str | None = None,
        agent: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Thread:
        """A new thread of the same resource with `parent` as its nearest ancestor, not saved yet.

        `message_id`: the last message that the fork has of it. `agent`, `metadata`: `None` takes over the parent's.
        The lineage is copied: no chain of records is ever followed, so a deleted ancestor breaks none, and no ring can
        come about.
        """
        lineage = [ForkOrigin(parent.thread_id, message_id), *await self.lineage_of(parent)][:MAX_LINEAGE]
        metadata = parent.metadata if metadata is None else metadata
        begun = self.begin(parent.resource_id, thread_id, agent or parent.agent, metadata)
        return msgspec.structs.replace(begun, lineage=lineage)

    def change(
        self, thread: Thread, title: str | None, archived: bool | None, metadata: dict[str, Any] | None
    ) -> Thread:
        """`thread` with what is not `None`; not saved yet. That does not count as using it."""
        return msgspec.structs.replace(
            thread,
            title=thread.title if title is None else title,
            archived=thread.archived if archived is None else archived,
            metadata=thread.metadata if metadata is None else metadata,
        )

    def touch(self, thread: Thread, agent: str | None = None, metadata: dict[str, Any] | None = None) -> Thread:
        """`thread` as used now, with the given agent and metadata if they are not `None`; not saved yet."""
        return msgspec.structs.replace(
            thread,
            # Another location's clock may be ahead.
            updated_ms=max(self._clock.now_ms(), thread.updated_ms),
            metadata=thread.metadata if metadata is None else metadata,
            agent=agent or thread.agent,
        )

    def remembers(self, resource_id: str, thread_id: str) -> bool:
        """Whether this isolate wrote the thread in the last minutes, and did not delete it since."""
        return self._remembered(resource_id, thread_id) is not None

    def likely_session_id(self, resource_id: str, thread_id: str) -> str:
        """The session id that the thread has, unless it began under another signing key and this isolate does not
        remember it; asks nothing."""
        remembered = self._remembered(resource_id, thread_id)
        return remembered.session_id if remembered else self.session_id_for(resource_id, thread_id)

    def _remembered(self, resource_id: str, thread_id: str) -> Thread | None:
        return self._recent.newest(thread_key(resource_id, thread_id), None, self._clock.now_ms())

    async def find(self, resource_id: str, thread_id: str) -> Thread | None:
        """The thread of this name; `None` if this location sees none."""
        key = thread_key(resource_id, thread_id)
        # Listed, not read: KV would cache the miss of a get.
        found = await find_key(self._kv, key)
        thread = read_thread(resource_id, found) if found else None
        return self._recent.newest(key, thread, self._clock.now_ms())

    async def lineage_of(self, thread: Thread) -> list[ForkOrigin]:
        """All known ancestors of `thread`, the nearest first. Reads KV only if `thread.lineage_is_cut`."""
        if not thread.lineage_is_cut:
            return thread.lineage
        value = await self._kv.get(thread_key(thread.resource_id, thread.thread_id))
        lineage = _decode_lineage(value) if value else []
        # The value may be older than the listing, or a cached miss: then only the nearest ancestor is known.
        return lineage if lineage[:1] == thread.lineage[:1] else thread.lineage

    async def save(self, thread: Thread) -> None:
        """Writes `thread`, until 30 days after it was used last.

        Raises:
            InvalidBody: the record is too large; see `validate_thread`.
            StorageUnavailable, BudgetSpent: the write was refused; it may have taken effect.
        """
        lineage = await self.lineage_of(thread)
        now = self._clock.now_ms()
        whole = msgspec.structs.replace(thread, lineage=lineage, lineage_is_cut=False, written_ms=now)
        validate_thread(whole)
        key = thread_key(thread.resource_id, thread.thread_id)
        await self._kv.put(
            key,
            msgspec.json.encode(lineage).decode() if len(lineage) > 1 else "",
            ttl_seconds=max(KV_MIN_TTL_SECONDS, self._ttl_seconds - (now - thread.updated_ms) // 1000),
            metadata=_encode(whole),
        )
        self._recent.record(key, whole, now)

    async def delete(self, thread: Thread) -> None:
        """Deletes the record. The conversation and the thread's forks stay."""
        key = thread_key(thread.resource_id, thread.thread_id)
        await self._kv.delete(key)
        self._recent.record(key, None, self._clock.now_ms())


def validate_thread(thread: Thread) -> None:
    """Accept `thread` if its record fits into KV. Call it before doing any work for the thread.

    Raises:
        InvalidBody: the metadata is over `MAX_METADATA_BYTES`, one of its names is empty or too long, or metadata,
            title, agent and fork origin are too large together.
    """
    if not all(1 <= len(name) <= MAX_METADATA_NAME_LENGTH for name in thread.metadata):
        raise InvalidBody(f"A name in a thread's metadata has 1 to {MAX_METADATA_NAME_LENGTH} characters.")
    if len(msgspec.json.encode(thread.metadata)) > MAX_METADATA_BYTES:
        raise InvalidBody(f"The metadata of a thread may have {MAX_METADATA_BYTES} bytes as JSON.")
    if not fits_metadata(_encode(thread)):
        raise InvalidBody("The thread's title, metadata, agent and what it was forked from are too long together.")


def _encode(thread: Thread) -> str:
    parent = thread.forked_from or ForkOrigin("")
    record = _Record(
        thread.session_id,
        thread.created_ms,
        thread.updated_ms,
        thread.metadata,
        thread.agent,
        parent.thread_id or None,
        parent.message_id,
        thread.lineage_is_cut or len(thread.lineage) > 1,
        thread.title,
        thread.archived,
        thread.written_ms,
    )
    return msgspec.json.encode(record).decode()


def read_thread(resource_id: str, key: ListedKey) -> Thread:
    """Decodes the record in a listed key's metadata."""
    record = _decode_record(key.metadata or "")
    return Thread(
        resource_id,
        thread_id_of(key.name),
        record.session_id,
        record.created_ms,
        record.updated_ms,
        record.metadata,
        record.agent,
        [] if record.parent_id is None else [ForkOrigin(record.parent_id, record.parent_message_id)],
        record.has_older_ancestors,
        record.title,
        record.is_archived,
        record.written_ms,
    )
