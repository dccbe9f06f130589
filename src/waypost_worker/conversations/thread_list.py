"""The threads of a resource: the one used last first, in pages, filtered by their metadata.

KV lists by name, so every page is made from all of the resource's threads, a thousand per operation. A cursor says who
came last, not how many came before: a thread that is used while somebody turns the pages moves to the front, and no
other is shown twice or left out for it.
"""

from collections.abc import Mapping
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
    """Some threads, and the cursor of the next page; `None` when this was the last one."""

    threads: list[Thread]
    cursor: str | None


class _Place(NamedTuple):
    """Where a thread stands in the list; the smallest comes first."""

    updated_ms_negated: int
    thread_id: str


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The thread that came last. `tag` marks the resource; it guards against mix-ups, it is no credential."""

    tag: int
    updated_ms: int
    thread_id: str


_decode_cursor = msgspec.json.Decoder(_Cursor).decode


async def list_threads(
    kv: Kv, resource_id: str, limit: int, cursor: str | None, filters: Mapping[str, str]
) -> ThreadPage:
    """At most `limit` threads after `cursor` whose metadata has all that `filters` names.

    A text equals its filter letter by letter, any other value by its JSON text.

    Raises:
        InvalidCursor: it was not issued for this resource.
    """
    scope = threads_prefix(resource_id)
    after = None if cursor is None else _parse(cursor, scope_tag(scope))
    found: list[Thread] = []
    async for keys in list_all(kv, scope):
        for key in keys:
            thread = read_thread(resource_id, key)
            if _has(thread, filters) and (after is None or _place(thread) > after):
                found.append(thread)
    # One more than wanted, which tells whether there is another page.
    first = nsmallest(limit + 1, found, key=_place)
    if len(first) <= limit:
        return ThreadPage(first, None)
    last = first[limit - 1]
    return ThreadPage(first[:limit], _format(_Cursor(scope_tag(scope), last.updated_ms, last.thread_id)))


def _place(thread: Thread) -> _Place:
    return _Place(-thread.updated_ms, thread.thread_id)


def _has(thread: Thread, filters: Mapping[str, str]) -> bool:
    return all(name in thread.metadata and _text(thread.metadata[name]) == text for name, text in filters.items())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _format(cursor: _Cursor) -> str:
    return encode_base64url(msgspec.json.encode(cursor))


def _parse(text: str, tag: int) -> _Place:
    try:
        cursor = _decode_cursor(decode_base64url(text))
    except ValueError:
        cursor = None
    # Written anew, since both decoders pass over some of what does not belong there.
    if cursor is None or cursor.tag != tag or _format(cursor) != text:
        raise InvalidCursor("The cursor was not issued for this resource's list; leave it out to start afresh.")
    return _Place(-cursor.updated_ms, cursor.thread_id)
