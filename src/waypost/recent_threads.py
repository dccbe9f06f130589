"""The threads that this isolate has lately written or deleted: a listing may not show it for a while."""

from collections import OrderedDict
from typing import Generic, Protocol, TypeVar

from waypost.limits import MAX_RECENT_THREADS, REORDER_WINDOW_SECONDS


class _Dated(Protocol):
    @property
    def updated_ms(self) -> int: ...


T = TypeVar("T", bound=_Dated)


class RecentThreads(Generic[T]):
    """Plain data, may vanish; `None` stands for a thread that was deleted."""

    def __init__(self) -> None:
        self._written: OrderedDict[str, tuple[int, T | None]] = OrderedDict()

    def note(self, key: str, thread: T | None, now_ms: int) -> None:
        """The record `key` was written, or deleted."""
        self._written[key] = (now_ms, thread)
        self._written.move_to_end(key)
        if len(self._written) > MAX_RECENT_THREADS:
            self._written.popitem(last=False)

    def newest(self, key: str, listed: T | None, now_ms: int) -> T | None:
        """Of what a listing shows and what is remembered, the newer one."""
        written_ms, remembered = self._written.get(key, (0, None))
        if now_ms - written_ms > REORDER_WINDOW_SECONDS * 1000:
            return listed
        if listed is not None and listed.updated_ms > (remembered.updated_ms if remembered else written_ms):
            return listed
        return remembered
