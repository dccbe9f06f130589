"""A stream's watch on its session: it renews the session while the host is there, and reports its changes and its end.

It reads the record again at the plan's interval; a change in its own isolate is seen immediately.
"""

from contextlib import AbstractContextManager

import msgspec

from waypost_worker.clock import Clock, Wakeup, to_iso
from waypost_worker.errors import SessionEnded, SessionNotFound, StorageUnavailable
from waypost_worker.kv.store import KvError
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.polling.plans import Plan
from waypost_worker.security.tokens import Role
from waypost_worker.sessions.presence import Presence
from waypost_worker.sessions.session import Session, SessionStore
from waypost_worker.sse import Event

RETRY_SECONDS = 5
"""The interval after a read that failed."""


class _Change(msgspec.Struct, rename="camel", omit_defaults=True):
    code: str
    expires_at: str
    active: bool | None
    label: str | None
    tools_changed: bool = False


class _End(msgspec.Struct):
    reason: str


class SessionWatch:
    """Watches `session` for one stream of `role`. Call `events()` at `due_ms` or on wakeup; it reads KV about once a
    minute."""

    def __init__(
        self,
        session: Session,
        role: Role,
        store: SessionStore,
        presence: Presence,
        plan: Plan,
        channel: LocalChannel[Session],
        clock: Clock,
    ) -> None:
        self.session = session
        self.ended = False
        self._role = role
        self._store = store
        self._presence = presence
        self._plan = plan
        self._channel = channel
        self._position = channel.position()
        self._clock = clock
        self._announce_ms = clock.now_ms()
        self._check_ms = 0
        self._plan_check()

    @property
    def due_ms(self) -> int:
        """When `events` has to be called next."""
        return min(self._check_ms, self._announce_ms) if self._role is Role.HOST else self._check_ms

    def subscribe(self, wakeup: Wakeup) -> AbstractContextManager[None]:
        """Sets `wakeup` when the session changes in this isolate, for the length of the `with` block."""
        return self._channel.subscribe(self.session.code, wakeup)

    async def events(self) -> list[Event]:
        """The session's events since the last call; `ended` is true after the event `end`."""
        events: list[Event] = []
        for session in self._channel.since(self.session.code, self._position):
            events += self._changed(session)
        self._position = self._channel.position()
        if not self.ended and self._clock.now_ms() >= self._check_ms:
            events += await self._check()
        if not self.ended and self._role is Role.HOST and self._clock.now_ms() >= self._announce_ms:
            self._announce_ms = self._clock.now_ms() + self._plan.presence_seconds * 1000
            await self._presence.announce(self.session.code)
        return events

    async def _check(self) -> list[Event]:
        now = self._clock.now_ms()
        # A store that does not answer says nothing about the session, not even when its time seems to be over: another
        # stream may have renewed it.
        self._check_ms = now + RETRY_SECONDS * 1000
        try:
            session = await self._store.find(self.session.code, fresh=True)
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
            self._plan_check()
            return []
        except (KvError, StorageUnavailable):
            # Also a record without its data, which must not be renewed: KV forgets the miss that hides it.
            return []
        events = self._changed(session)
        self._plan_check()
        return events

    def _plan_check(self) -> None:
        """Plans the next read: after the plan's interval, early enough for a renewal, and at the latest at expiry."""
        now = self._clock.now_ms()
        interval_seconds = min(self._plan.session_check_seconds, self.session.ttl_seconds // 3)
        self._check_ms = min(now + interval_seconds * 1000, max(self.session.expires_ms, now))

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
