"""Planted bugs of wake-up keys: what goes wrong when a hint is taken for the truth."""

from collections.abc import Callable
from typing import Any

from simulation.replaced import replaced
from waypost_worker.kv.keys import cursor_of
from waypost_worker.polling.schedule import PollSchedule
from waypost_worker.polling.wake_up_key import WakeUpKey
from waypost_worker.queues.feed import Feed
from waypost_worker.sessions import session as session_module


def lists_only_when_woken() -> Any:
    """While the key does not change, the queue is not listed: what it did not name is never found."""

    def looked(self: Any, now_ms: int, *, expects: bool = False) -> None:
        original(self, now_ms, expects=expects)
        if self.has_key and not expects:
            self.next_look_ms = now_ms + 86_400_000

    original = PollSchedule.looked
    return replaced(PollSchedule, "looked", looked)


def what_the_key_names_is_had() -> Any:
    """A message that the key has named counts as delivered."""

    async def read(self: Any, schedule: PollSchedule) -> None:
        def is_awaited(key: str) -> bool:
            self._reader._last_seen_ms.setdefault(cursor_of(key), self._clock.now_ms())
            return True

        await self._wake_up.read(schedule, is_awaited)

    return replaced(Feed, "read_wake_up", read)


def the_key_is_read_before_it_exists() -> Any:
    """A session's keys are written with the first message only, and read before: KV remembers the miss."""

    async def nothing(kv: Any, scope: str) -> None:
        pass

    return replaced(session_module, "create_wake_up_key", nothing)


def a_miss_is_silence() -> Any:
    """A key that is not there, or can't be read, is taken for one that says nothing new; the looks stay rare."""

    async def read(self: Any, schedule: PollSchedule, is_awaited: Callable[[str], bool]) -> None:
        looks = schedule.next_look_ms
        await original(self, schedule, lambda key: False)
        schedule.has_key, schedule.next_look_ms = True, max(looks, self._clock.now_ms() + 86_400_000)

    original = WakeUpKey.read
    return replaced(WakeUpKey, "read", read)


WAKE_UP_BUGS = (
    lists_only_when_woken,
    what_the_key_names_is_had,
    the_key_is_read_before_it_exists,
    a_miss_is_silence,
)
