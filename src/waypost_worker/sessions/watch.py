"""A stream's watch on its session: it renews the session while the host is there, and reports its changes and its end.

It reads the record again at the plan's interval, with the presence of the host where its stream has a seat; a change in
its own isolate is seen immediately.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from waypost_worker.clock import Clock, Wakeup, to_iso
from waypost_worker.errors import DailyLimit, SessionEnded, SessionNotFound, StorageUnavailable
from waypost_worker.kv.keys import host_key, host_left_key
from waypost_worker.kv.store import KvError
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.polling.plans import Plan
from waypost_worker.security.tokens import Role
from waypost_worker.sessions.host_seat import HostSeat
from waypost_worker.sessions.presence import Presence, host_state
from waypost_worker.sessions.session import Session, SessionStore
from waypost_worker.sse import Event

RETRY_SECONDS = 5
"""The interval after a read that failed."""

EARLY_PART = 8
"""A read or a heartbeat may be early by this part of its interval, where its stream is awake for something else: to
wake up costs more CPU than either."""


class _Change(msgspec.Struct, rename="camel", omit_defaults=True):
    """The session as it is after a change."""

    code: str
    """The session's code, without spaces and dashes."""
    expires_at: str
    """When it expires now, unless it is renewed."""
    active: bool | None
    """True: the end of a session is the event `end`."""
    label: str | None
    """Its name for people, if it has one."""
    tools_changed: bool = False
    """The tools changed: read the session to get them."""


class _End(msgspec.Struct):
    """Why the session is over."""

    reason: str
    """`ended` by its host, or `expired`."""


class SessionWatch:
    """Watches `session` for one stream of `role`. Call `events()` at `due_ms` or on wakeup; it reads KV about once a
    minute. `seat`: of the host, if it names its instance."""

    def __init__(
        self,
        session: Session,
        role: Role,
        store: SessionStore,
        presence: Presence,
        plan: Plan,
        channel: LocalChannel[Session],
        clock: Clock,
        seat: HostSeat | None = None,
    ) -> None:
        self.session = session
        self.seat = seat
        self.ended = False
        self._role = role
        self._store = store
        self._presence = presence
        self._plan = plan
        self._channel = channel
        self._position = channel.position()
        self._clock = clock
        self._announce_ms = clock.now_ms()
        self._has_announced = False
        self._check_ms = clock.now_ms()
        if not self.is_unconfirmed:
            self._plan_check()

    @property
    def is_unconfirmed(self) -> bool:
        """Whether a host that returns may have been superseded meanwhile: it is sent nothing before the next
        `events`."""
        return self.seat is not None and self.seat.is_unconfirmed

    @property
    def due_ms(self) -> int:
        """When `events` has to be called next."""
        if self.seat is None:
            return min(self._check_ms, self._announce_ms) if self._role is Role.HOST else self._check_ms
        due_ms = self._check_ms if self.is_unconfirmed else min(self._check_ms, self._announce_ms)
        return min(due_ms, self.seat.held_until_ms) if self.seat.is_holding else due_ms

    def is_due(self, next_wake_ms: int = 0) -> bool:
        """Whether `events` has something to do now. `next_wake_ms`: when its stream wakes next for something else; what
        is due soon and before that is done now."""
        now, due_ms = self._clock.now_ms(), self.due_ms
        return (
            now >= due_ms
            or self._channel.has_since(self.session.code, self._position)
            or (due_ms < next_wake_ms and (self._checks(next_wake_ms) or self._announces(next_wake_ms)))
        )

    @contextmanager
    def subscribe(self, wakeup: Wakeup) -> Iterator[None]:
        """Sets `wakeup` when the session or its host changes in this isolate, for the length of the `with` block, in
        which the host has its seat."""
        with self._channel.subscribe(self.session.code, wakeup):
            if self.seat is None:
                yield
            else:
                with self.seat.take(wakeup):
                    yield

    def last_event(self) -> list[Event] | None:
        """The last events of a host that has lost its seat or left; `None` for every other stream. Costs nothing."""
        event = self.seat.superseded() if self.seat else None
        if event is None and not (self.seat and self.seat.has_left):
            return None
        self.ended = True
        return [event] if event else []

    async def events(self, next_wake_ms: int = 0) -> list[Event]:
        """The session's events since the last call; `ended` is true after the event `end`. `next_wake_ms`: as for
        `is_due`."""
        events: list[Event] = []
        for session in self._channel.since(self.session.code, self._position):
            events += self._changed(session)
        self._position = self._channel.position()
        # The heartbeat of a newer host must not be replaced by that of an older one.
        announces = self._announces(next_wake_ms)
        reads_first = announces and self._has_announced and self.seat is not None
        if not self.ended and (reads_first or self._checks(next_wake_ms)):
            events += await self._check()
        if not self.ended and (last := self.last_event()) is not None:
            return events + last
        if not self.ended and self._announces(next_wake_ms) and not self.is_unconfirmed:
            await self._announce()
        return events

    def _announces(self, next_wake_ms: int) -> bool:
        return self._role is Role.HOST and self._comes(self._announce_ms, self._plan.presence_seconds, next_wake_ms)

    def _checks(self, next_wake_ms: int) -> bool:
        # Not before the session's end: it would be read again and again.
        early_until_ms = next_wake_ms if self._check_ms < self.session.expires_ms else 0
        return self._comes(self._check_ms, self._check_seconds, early_until_ms)

    def _comes(self, due_ms: int, interval_seconds: int, next_wake_ms: int) -> bool:
        """Whether what is done at this interval is due, or early but not too early."""
        early_ms = due_ms - self._clock.now_ms()
        return early_ms <= 0 or (due_ms < next_wake_ms and early_ms <= interval_seconds * 1000 // EARLY_PART)

    @property
    def _check_seconds(self) -> int:
        return min(self._plan.session_check_seconds, self.session.ttl_seconds // 3)

    async def _announce(self) -> None:
        self._has_announced = True
        # An older host that writes right after this one each time, before it can see that, would hide it for ever: both
        # have the same interval.
        is_contested = self.seat is not None and self.seat.is_contested
        self._announce_ms = self._clock.now_ms() + self._plan.presence_seconds * (500 if is_contested else 1000)
        # Without writes left for today, the stream still delivers.
        with suppress(DailyLimit):
            await self._presence.announce(self.session.code, self.seat.instance if self.seat else None)
        if self.seat:
            self.seat.renew()

    async def _check(self) -> list[Event]:
        now = self._clock.now_ms()
        # A store that does not answer says nothing about the session, not even when its time seems to be over: another
        # stream may have renewed it.
        self._check_ms = now + RETRY_SECONDS * 1000
        try:
            session = await self._find()
            is_due = session.expires_ms - now < session.ttl_seconds * 500 and session.expires_ms < session.must_end_ms
            if self._role is Role.HOST and is_due:
                session = await self._store.extend(session)
                self._position = self._channel.position()
        except SessionEnded:
            return self._end("ended")
        except SessionNotFound:
            # A stale miss, unless the session has also expired by the record that this stream has.
            if now >= self.session.expires_ms:
                return self._end("expired")
            if self.seat:
                self.seat.is_unconfirmed = False
            self._plan_check()
            return []
        except (KvError, StorageUnavailable, DailyLimit):
            # Also a record without its data, which must not be renewed: KV forgets the miss that hides it.
            return []
        events = self._changed(session)
        self._plan_check()
        return events

    async def _find(self) -> Session:
        if self.seat is None:
            return await self._store.find(self.session.code, fresh=True)
        keys = host_key(self.session.code), host_left_key(self.session.code)
        session, values = await self._store.find_with(self.session.code, *keys)
        state = host_state(*map(values.get, keys))
        self.seat.read(state, self._presence.lifetime_seconds)
        if not self._has_announced and state and state.instance == self.seat.instance and not state.has_left:
            # It reconnects, and its last heartbeat is still good.
            self._has_announced = True
            seen_ms = min(state.seen_ms, self._clock.now_ms())
            self._announce_ms = seen_ms + self._plan.presence_seconds * 1000
        return session

    def _plan_check(self) -> None:
        """Plans the next read: after the plan's interval, early enough for a renewal, and at the latest at expiry."""
        now = self._clock.now_ms()
        self._check_ms = min(now + self._check_seconds * 1000, max(self.session.expires_ms, now))

    def _changed(self, session: Session) -> list[Event]:
        if not session.active:
            return self._end("ended")
        before, self.session = self.session, session
        if (session.expires_ms, session.label, session.tools_version) == (
            before.expires_ms,
            before.label,
            before.tools_version,
        ):
            return []
        change = _Change(
            session.code,
            to_iso(session.expires_ms),
            session.active,
            session.label,
            session.tools_version != before.tools_version,
        )
        return [Event("session", msgspec.json.encode(change))]

    def _end(self, reason: str) -> list[Event]:
        if self.ended:
            return []
        self.ended = True
        return [Event("end", msgspec.json.encode(_End(reason)))]
