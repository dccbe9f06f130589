"""Lists of a resource's threads: most recently used first, in pages, filtered by metadata.

KV lists by name, so every page is made from all of the resource's threads, a thousand per operation. A cursor names the
last thread of its page, not an offset: a thread that is used between two pages moves to the front, and no other thread
is repeated or skipped because of it.
"""

from collections.abc import AsyncGenerator, Mapping
from heapq import nsmallest
from typing import Any, NamedTuple

import msgspec

from waypost_worker.base64url import decode_base64url, encode_base64url
from waypost_worker.conversations.thread import Thread, read_thread
from waypost_worker.errors import InvalidCursor
from waypost_worker.kv.cursor import scope_tag
from waypost_worker.kv.keys import threads_prefix
from waypost_worker.kv.store import Kv, list_all


class ThreadPage(NamedTuple):
    """Threads, and the cursor of the next page; `None` on the last one."""

    threads: list[Thread]
    cursor: str | None


class _SortKey(NamedTuple):
    """The sort key of a thread; the smallest comes first."""

    updated_ms_negated: int
    thread_id: str


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The last thread of a page. `tag` marks the resource; it guards against mix-ups, it is no credential."""

    tag: int
    updated_ms: int
    thread_id: str


_decode_cursor = msgspec.json.Decoder(_Cursor).decode


async def list_threads(
    kv: Kv,
    resource_id: str,
    limit: int,
    cursor: str | None,
    filters: Mapping[str, str],
    archived: bool | None = None,
) -> ThreadPage:
    """Returns at most `limit` threads after `cursor` whose metadata matches all of `filters` (name -> value), and that
    are archived or not; `None`: both.

    A text matches if it equals the filter's value, any other value if its JSON text does.

    Raises:
        InvalidCursor: the cursor was not issued for this resource.
        StorageUnavailable, BudgetSpent
    """
    scope = threads_prefix(resource_id)
    after = None if cursor is None else _parse(cursor, scope_tag(scope))
    matching: list[Thread] = []
    async for thread in all_threads(kv, resource_id):
        is_listed = archived in (None, thread.archived) and _matches(thread, filters)
        if is_listed and (after is None or _sort_key(thread) > after):
            matching.append(thread)
    # One more than `limit`: it tells whether there is another page.
    first = nsmallest(limit + 1, matching, key=_sort_key)
    if len(first) <= limit:
        return ThreadPage(first, None)
    last = first[limit - 1]
    return ThreadPage(first[:limit], _format(_Cursor(scope_tag(scope), last.updated_ms, last.thread_id)))


async def all_threads(kv: Kv, resource_id: str) -> AsyncGenerator[Thread, None]:
    """Every thread of a resource, in order of their keys.

    Raises:
        StorageUnavailable, BudgetSpent
    """
    async for keys in list_all(kv, threads_prefix(resource_id)):
        for key in keys:
            yield read_thread(resource_id, key)


def _sort_key(thread: Thread) -> _SortKey:
    return _SortKey(-thread.updated_ms, thread.thread_id)


def _matches(thread: Thread, filters: Mapping[str, str]) -> bool:
    return all(name in thread.metadata and _text(thread.metadata[name]) == text for name, text in filters.items())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _format(cursor: _Cursor) -> str:
    return encode_base64url(msgspec.json.encode(cursor))


def _parse(text: str, tag: int) -> _SortKey:
    try:
        cursor = _decode_cursor(decode_base64url(text))
    except ValueError:
        cursor = None
    # Encoded again and compared, since both decoders ignore some malformed input.
    if cursor is None or cursor.tag != tag or _format(cursor) != text:
        raise InvalidCursor("The cursor was not issued for this resource's list; leave it out to start over.")
    return _SortKey(-cursor.updated_ms, cursor.thread_id)
