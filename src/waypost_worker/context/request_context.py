"""The context of one request: its data, its ports, and factories of the domain objects on them."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import msgspec

from waypost_worker.chat.chunks import ChunkStore
from waypost_worker.chat.context import ChatContext
from waypost_worker.clock import Clock
from waypost_worker.context.isolate import Isolate
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.thread import ID_PREFIX, ThreadStore
from waypost_worker.http.loads import Loads
from waypost_worker.http.messages import Request
from waypost_worker.http.open_streams import Place
from waypost_worker.http.placement import placement_of
from waypost_worker.kv.store import Kv
from waypost_worker.limits import HEARTBEAT_SECONDS, PROMPT_CHARACTERS_PER_USE
from waypost_worker.models.model import Model
from waypost_worker.polling.invocation import Invocation
from waypost_worker.polling.wake_up_key import WakeUpKey, WakeUpWriter
from waypost_worker.queues.feed import Feed
from waypost_worker.queues.queue import Queues
from waypost_worker.queues.reader import GuestReader, HostReader
from waypost_worker.queues.sender import Ahead
from waypost_worker.random import Random
from waypost_worker.security.guess_throttle import GuessThrottle
from waypost_worker.security.rate_limits import Limit, RateLimits
from waypost_worker.security.tokens import Role
from waypost_worker.sessions.host_instance import parse_instance
from waypost_worker.sessions.host_seat import HostSeat
from waypost_worker.sessions.mcp_address import McpAddresses
from waypost_worker.sessions.presence import Presence
from waypost_worker.sessions.session import Session, SessionStore
from waypost_worker.sessions.single_use_code import SingleUseCodes
from waypost_worker.sessions.watch import SessionWatch
from waypost_worker.settings import Settings


class RequestContext(msgspec.Struct, frozen=True):
    """The argument of every handler. `kv` counts and retries; `invocation.meter` only counts: for loops that retry.

    `loads`: the large values that the request has read from KV and not handed over yet.
    `log` writes one entry, with the request's id, to the operator's log.
    """

    request: Request
    params: dict[str, str]
    settings: Settings
    clock: Clock
    random: Random
    isolate: Isolate
    throttle: GuessThrottle
    limits: RateLimits
    kv: Kv
    storage: str
    model: Model
    invocation: Invocation
    loads: Loads
    log: Callable[[str], None]
    query: dict[str, str]

    def open_stream(self, code: str | None, seconds: float = HEARTBEAT_SECONDS) -> Place:
        """A place for a stream or wait of the session `code` that shows a sign of life within `seconds`.

        Raises:
            TooManyStreams, Busy
        """
        return self.isolate.streams.open(code, self.request.client_ip, seconds, self.loads)

    def open_wait(self, code: str, seconds: float) -> AbstractContextManager[object]:
        """The place of a wait of `seconds`; nothing is counted if it is 0.

        Raises:
            TooManyStreams, Busy
        """
        return self.open_stream(code, seconds) if seconds else nullcontext()

    @property
    def wakes(self) -> bool:
        """Whether wake-up keys are used: where the plan uses them everywhere, or the Worker runs in one location."""
        return self.invocation.plan.wakes_between_locations or placement_of(self.request.headers) is not None

    def sessions(self) -> SessionStore:
        """The store of sessions."""
        return SessionStore(self.kv, self.clock, self.isolate.sessions, self.isolate.changes)

    def single_use_codes(self) -> SingleUseCodes:
        """The record of single-use codes that were used."""
        return SingleUseCodes(self.kv, self.clock, self.isolate.single_use_codes)

    def mcp_addresses(self, *, is_stream: bool = False) -> McpAddresses:
        """The store of MCP addresses. That of a stream does not retry: its loop does."""
        kv = self.invocation.meter if is_stream else self.kv
        return McpAddresses(kv, self.clock, self.isolate.mcp_addresses, self.isolate.address_changes)

    def presence(self) -> Presence:
        """The store of the presence of hosts."""
        return Presence(self.kv, self.clock, self.settings.plan.presence_seconds)

    def conversation(self, session_id: str) -> Conversation:
        """The conversation of this id. A thread's is kept as long as the thread, which its id shows."""
        settings, isolate = self.settings, self.isolate
        ttl_seconds, limit = settings.conversation_ttl_seconds, settings.history_limit
        if session_id.startswith(ID_PREFIX):
            ttl_seconds, limit = settings.thread_ttl_seconds, settings.thread_history_limit
        checks, cursors = isolate.compaction_checks, isolate.cursors
        return Conversation(
            self.kv,
            self.clock,
            cursors,
            checks,
            session_id,
            ttl_seconds,
            limit,
            self.log,
            settings.history_bytes,
            isolate.recent_pops,
        )

    def threads(self) -> ThreadStore:
        """The store of threads."""
        secret, ttl_seconds = self.settings.signing_keys[0], self.settings.thread_ttl_seconds
        return ThreadStore(self.kv, self.clock, secret, self.isolate.recent_threads, ttl_seconds)

    def chunks(self, generation_id: str) -> ChunkStore:
        """The store of the chunks of an answer."""
        return ChunkStore(self.kv, generation_id)

    def chat_context(self, asker: str = "") -> ChatContext:
        """The context of chats. `asker`: the key of the budget that prompts count on; empty if no model will be
        asked."""

        async def charge(characters: int) -> None:
            # The first use was spent before anything was read.
            await self.limits.spend(Limit.ANSWER, asker, characters // PROMPT_CHARACTERS_PER_USE)

        return ChatContext(
            self.threads(),
            self.conversation,
            self.chunks,
            lambda generation_id: ChunkStore(self.invocation.meter, generation_id),
            self.isolate.answers,
            self.isolate.cursors,
            self.model,
            self.settings,
            self.invocation,
            self.request.background,
            self.log,
            charge,
        )

    def queues(self, session: Session) -> Queues:
        """The two queues of a session."""
        return self._queues(self.kv, session)

    def feed(self, session: Session, reader: HostReader | GuestReader, *, is_stream: bool) -> Feed:
        """A reader's view of its queue. That of a stream does not retry: its loop does, and tells the client so."""
        isolate, meter = self.isolate, self.invocation.meter
        queues = self._queues(meter if is_stream else self.kv, session)
        scope = queues.requests if isinstance(reader, HostReader) else queues.responses
        wake_up = WakeUpKey(meter, scope, self.clock, exists=queues.has_wake_up_keys)
        return Feed(
            queues,
            reader,
            isolate.messages,
            self.clock,
            self.settings.queue_ttl_seconds,
            isolate.departures,
            isolate.handovers,
            wake_up,
            is_stream=is_stream,
        )

    def host_seat(self, code: str, instance: str) -> HostSeat:
        """The seat of the host that names itself `instance`, for one stream.

        Raises:
            InvalidParameter
        """
        parsed, is_returning = parse_instance(instance, self.clock.now_ms())
        return HostSeat(code, parsed, is_returning, self.isolate.hosts, self.clock)

    def watch(self, session: Session, role: Role, seat: HostSeat | None = None) -> SessionWatch:
        """Watches the session of an open stream, and the `seat` of its host if it has one. Does not retry: the stream's
        loop does."""
        meter = self.invocation.meter
        store = SessionStore(meter, self.clock, self.isolate.sessions, self.isolate.changes)
        presence = Presence(meter, self.clock, self.settings.plan.presence_seconds)
        plan, changes = self.settings.plan, self.isolate.changes
        return SessionWatch(session, role, store, presence, plan, changes, self.clock, seat)

    def _queues(self, kv: Kv, session: Session) -> Queues:
        isolate, ttl_seconds = self.isolate, self.settings.queue_ttl_seconds
        wake_ups = None
        if session.has_wake_up_keys and self.wakes:
            meter, background = self.invocation.meter, self.request.background
            wake_ups = WakeUpWriter(meter, self.clock, isolate.wake_ups, background)
        ahead = Ahead(self.request.background, self._is_covered)
        return Queues(kv, session.code, isolate.cursors, isolate.messages, ttl_seconds, self.loads, wake_ups, ahead)

    def _is_covered(self, size: int) -> bool:
        covers = self.invocation.meter.covers_write(size, self.settings.queue_ttl_seconds)
        return covers and "put" not in self.isolate.daily_limits.operations
