"""The wake-up key of a queue: its value names the queue's newest messages, and wakes the readers that wait in other
isolates.

`wake:req:{code}` and `wake:res:{code}`; one message key a line. A `list` costs ten times what a `get` costs, and the
free plan has a hundred times as many gets. So a waiting reader gets this key every few seconds, and lists the queue
when it names a message that the reader has not had. The key is a hint: the queue is still listed at a slower rate, so
that losing a hint costs time, never a message.

The key exists from the session's opening, because KV would cache a miss. It is written where a message is queued and no
reader listens in the same isolate, in the background, once a second at most (KV refuses more). What is queued
meanwhile is named a second later. A write that KV refuses is repeated once.
"""

from collections.abc import Callable, Coroutine
from math import inf
from typing import Any, NamedTuple

from waypost_worker.bounded_cache import BoundedCache
from waypost_worker.clock import Clock
from waypost_worker.errors import DailyLimit, Unavailable
from waypost_worker.kv.cursor import cursor_ms
from waypost_worker.kv.keys import cursor_of, wake_up_key
from waypost_worker.kv.store import Kv, KvError
from waypost_worker.limits import MAX_CACHE_BYTES, MAX_CACHED_SESSIONS, MAX_SESSION_AGE_SECONDS
from waypost_worker.polling.schedule import PollSchedule

WRITE_INTERVAL_MS = 1100
"""KV takes one write a second to a key: https://developers.cloudflare.com/kv/platform/limits/"""

PENDING_SECONDS = 10
"""How long a write may be pending. After that the invocation that was to do it counts as lost."""

ABSENT_SECONDS = 60
"""How long a key that was not there is not read again: KV caches the miss for up to a minute."""

RECENT_SECONDS = 15
"""How long the key names a message. Of several that are queued together, one may be visible later than the others."""

MAX_NAMED = 32
"""Messages that the key names, the newest of them."""

NO_MESSAGE = "-"
"""The value before the first message."""


class Told(NamedTuple):
    """What a wake-up key has told a reader. `text`: its last value; `awaited`: the keys of the messages that it has
    named and that the reader has not found."""

    text: str
    awaited: tuple[str, ...]


UNTOLD = Told(NO_MESSAGE, ())
"""Before the first reading."""


class WakeUps:
    """The writes of one isolate, by queue: the messages to name, whether a write is pending, when the last one was."""

    def __init__(self) -> None:
        self.recent: BoundedCache[tuple[str, ...]] = BoundedCache(MAX_CACHED_SESSIONS, MAX_CACHE_BYTES, RECENT_SECONDS)
        self.pending: BoundedCache[bool] = BoundedCache(MAX_CACHED_SESSIONS, MAX_CACHE_BYTES, PENDING_SECONDS)
        self.written_ms: BoundedCache[int] = BoundedCache(MAX_CACHED_SESSIONS, MAX_CACHE_BYTES, PENDING_SECONDS)


class WakeUpWriter:
    """Writes wake-up keys for one request, with `background`."""

    def __init__(
        self, kv: Kv, clock: Clock, wake_ups: WakeUps, background: Callable[[Coroutine[Any, Any, None]], None]
    ) -> None:
        """`kv`: one that does not retry."""
        self._kv = kv
        self._clock = clock
        self._wake_ups = wake_ups
        self._background = background

    def announce(self, scope: str, message_key: str) -> None:
        """Wakes the readers of the queue `scope` for a message. Returns before anything is written."""
        now = self._clock.now_ms()
        recent = [key for key in self._wake_ups.recent.get(scope, now) or () if _is_recent(key, now)]
        named = (*recent, message_key)[-MAX_NAMED:]
        self._wake_ups.recent.put(scope, named, now, sum(map(len, named)))
        if self._wake_ups.pending.get(scope, now) is None:
            self._wake_ups.pending.put(scope, True, now)
            self._background(self._write(scope))

    async def _write(self, scope: str) -> None:
        written_ms = self._wake_ups.written_ms
        since_ms = self._clock.now_ms() - (written_ms.get(scope, self._clock.now_ms()) or 0)
        if since_ms < WRITE_INTERVAL_MS:
            await self._clock.sleep((WRITE_INTERVAL_MS - since_ms) / 1000)
        now = self._clock.now_ms()
        self._wake_ups.pending.pop(scope)
        written_ms.put(scope, now, now)
        if await self._put(scope):
            return
        # Another isolate has written it within the last second.
        await self._clock.sleep(WRITE_INTERVAL_MS / 1000)
        if self._wake_ups.pending.get(scope, self._clock.now_ms()) is None:
            await self._put(scope)

    async def _put(self, scope: str) -> bool:
        """Whether it was written, or need not be. The messages are in KV, and are found without this."""
        named = self._wake_ups.recent.get(scope, self._clock.now_ms())
        try:
            if named:
                text = "\n".join(named)
                await self._kv.put(wake_up_key(scope), text, ttl_seconds=MAX_SESSION_AGE_SECONDS)
        except KvError:
            return False
        except Unavailable:
            return True
        return True


def _is_recent(message_key: str, now_ms: int) -> bool:
    return now_ms - cursor_ms(cursor_of(message_key)) < RECENT_SECONDS * 1000


class WakeUpKey:
    """One reader's view of the wake-up key of the queue `scope`. `kv`: one that does not retry."""

    def __init__(self, kv: Kv, scope: str, clock: Clock, *, exists: bool) -> None:
        """`exists`: whether it was written when the session was opened. If not, it is never read."""
        self._kv = kv
        self._key = wake_up_key(scope)
        self._clock = clock
        self._absent_until_ms = 0 if exists else inf
        self.told = UNTOLD

    async def read(self, schedule: PollSchedule, is_awaited: Callable[[str], bool]) -> None:
        """Reads the key, and tells `schedule` whether it names a new message that `is_awaited` accepts, by its key.

        Raises:
            Unavailable: the request has no operations left.
        """
        text = None
        try:
            text = await self._kv.get(self._key)
        except KvError:
            # The look shows what is wrong with the store, and does not need the key.
            schedule.look_now(self._clock.now_ms())
            return
        except DailyLimit:
            # The day's gets are used up, not its lists.
            pass
        now = self._clock.now_ms()
        schedule.read_wake_up(now)
        if text is None:
            self._absent_until_ms = now + ABSENT_SECONDS * 1000
            schedule.lost_key(now)
        elif text != self.told.text:
            before = self.told.text.split("\n")
            added = [key for key in text.split("\n") if key not in (NO_MESSAGE, *before) and is_awaited(key)]
            self.told = Told(text, (*self.told.awaited, *added)[-2 * MAX_NAMED :])
            if added:
                schedule.woken(now)

    def looked(self, schedule: PollSchedule, is_awaited: Callable[[str], bool]) -> None:
        """Tells `schedule` that a look at the queue is over, and whether it has shown all that the key named."""
        now = self._clock.now_ms()
        if self.told.awaited:
            self.told = self.told._replace(awaited=tuple(filter(is_awaited, self.told.awaited)))
        schedule.has_key = now >= self._absent_until_ms
        schedule.looked(now, expects=bool(self.told.awaited))


async def create_wake_up_key(kv: Kv, scope: str) -> None:
    """Writes the key of a queue that has no message yet, for as long as a session may live."""
    await kv.put(wake_up_key(scope), NO_MESSAGE, ttl_seconds=MAX_SESSION_AGE_SECONDS)
