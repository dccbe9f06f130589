"""The seat of a session's host: one instance has it, the newest. An older one that still listens is superseded.

Instances of one isolate learn of each other immediately, on a local channel. Elsewhere the older one learns it from the
newer one's heartbeat in KV, which its stream reads together with the session.

Until the older instance has left, it may be running what it was sent. So what was accepted before the newer one came is
held back from that one for a while: what the older one answers meanwhile does not run twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from waypost_worker.clock import Clock, Wakeup, to_iso
from waypost_worker.kv.keys import host_key
from waypost_worker.limits import TAKEOVER_HOLD_SECONDS
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.sessions.host_instance import HostInstance
from waypost_worker.sessions.presence import HostState
from waypost_worker.sse import Event

RETURN_SECONDS = 5
"""How long a host may be away between two of its streams, and counts as there."""


class HostNotice(msgspec.Struct, frozen=True):
    """An instance is there, or has left. `held_until_ms`: until when older requests are held back from it.
    `returns_until_ms`: its stream has ended by itself, and it comes back by then."""

    instance_id: str
    since_ms: int = 0
    held_until_ms: int = 0
    has_left: bool = False
    returns_until_ms: int = 0


HostNotices = LocalChannel[HostNotice]
"""The notices of one isolate; a topic is a session's `host_key`."""


class _Superseded(msgspec.Struct):
    """That a newer instance of the host has the session."""

    since: str
    """Since when the newer instance has it."""


class HostSeat:
    """The seat of `instance` in the session `code`, for one stream. `is_returning`: it was connected before."""

    def __init__(
        self, code: str, instance: HostInstance, is_returning: bool, channel: HostNotices, clock: Clock
    ) -> None:
        self.instance = instance
        self.is_unconfirmed = is_returning
        """Whether KV has to be asked first if there is a newer instance by now."""
        self.held_until_ms = 0
        """Until when requests that were accepted before this instance came are held back from it."""
        self.has_left = False
        """Whether the instance has said goodbye."""
        self.is_contested = False
        """Whether KV named an older instance when it was last read, which does not know of this one yet."""
        self._topic = host_key(code)
        self._channel = channel
        self._position = 0
        self._clock = clock
        self._newer: HostInstance | None = None

    @property
    def is_holding(self) -> bool:
        """Whether an older instance may still be running what it was sent."""
        return self._clock.now_ms() < self.held_until_ms

    @contextmanager
    def take(self, wakeup: Wakeup) -> Iterator[None]:
        """Takes the seat in this isolate, for the length of the `with` block; sets `wakeup` when another instance comes
        or one leaves."""
        notices = self._channel.since(self._topic, 0)
        self.held_until_ms = self._hold(notices)
        self._find_newer(notices)
        self.renew()
        self._position = self._channel.position()
        with self._channel.subscribe(self._topic, wakeup):
            yield

    def renew(self) -> None:
        """Repeats in this isolate that the instance is there; the channel forgets."""
        notice = HostNotice(self.instance.id, self.instance.since_ms, self.held_until_ms)
        self._channel.publish(self._topic, notice)

    def pause(self) -> None:
        """The stream ends by itself, and the instance comes back with another one."""
        until_ms = self._clock.now_ms() + RETURN_SECONDS * 1000
        notice = HostNotice(self.instance.id, self.instance.since_ms, self.held_until_ms, returns_until_ms=until_ms)
        self._channel.publish(self._topic, notice)

    def read(self, state: HostState | None, lifetime_seconds: int) -> None:
        """Takes what KV says of the session's host."""
        self.is_unconfirmed = False
        self.is_contested = bool(state and state.instance and self.instance.supersedes(state.instance))
        if state is None or state.instance is None or not state.instance.supersedes(self.instance):
            return
        # One that is gone supersedes nothing: it may have come and left while this one was disconnected.
        if state.is_online(self._clock.now_ms(), lifetime_seconds):
            self._newer = state.instance

    def superseded(self) -> Event | None:
        """The event for an instance that has lost its seat; `None` while it has it."""
        if fresh := self._channel.since(self._topic, self._position):
            self._position = self._channel.position()
            left = {notice.instance_id for notice in fresh if notice.has_left}
            self.has_left = self.has_left or self.instance.id in left
            if left - {self.instance.id}:
                self.held_until_ms = 0
            self._find_newer(self._channel.since(self._topic, 0))
        if self._newer is None:
            return None
        return Event("superseded", msgspec.json.encode(_Superseded(to_iso(self._newer.since_ms))))

    def _hold(self, notices: list[HostNotice]) -> int:
        if self.is_unconfirmed:
            own = [notice for notice in notices if notice.instance_id == self.instance.id]
            return own[-1].held_until_ms if own else 0
        now, present = self._clock.now_ms(), _present(notices)
        have_left = bool(notices) and not present
        # An EventSource comes back as it came first, and not as one that returns.
        returns = any(item.returns_until_ms > now and item.instance_id != self.instance.id for item in present)
        if have_left or not (returns or self._channel.has_subscriber(self._topic)):
            return 0
        return now + TAKEOVER_HOLD_SECONDS * 1000

    def _find_newer(self, notices: list[HostNotice]) -> None:
        for notice in _present(notices):
            other = HostInstance(notice.instance_id, notice.since_ms)
            if other.supersedes(self.instance):
                self._newer = other


def _present(notices: list[HostNotice]) -> list[HostNotice]:
    """The notices of the instances that have not left."""
    left = {notice.instance_id for notice in notices if notice.has_left}
    return [notice for notice in notices if notice.instance_id not in left]
