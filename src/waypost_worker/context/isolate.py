"""State that the requests of one isolate share: plain data that may vanish at any time, and nothing to await."""

from typing import NamedTuple

from waypost_worker.bounded_cache import BoundedCache
from waypost_worker.chat.live_answer import LiveAnswers
from waypost_worker.clock import Clock
from waypost_worker.conversations.conversation import compaction_checks
from waypost_worker.conversations.recent_pops import RecentPops
from waypost_worker.conversations.thread import RecentWrites
from waypost_worker.errors import Restarting
from waypost_worker.http.body_budget import BodyBudget
from waypost_worker.http.open_streams import OpenStreams
from waypost_worker.kv.cursor import CursorFactory
from waypost_worker.kv.platform_limits import DailyLimits
from waypost_worker.limits import (
    ANSWER_GRACE_SECONDS,
    MAX_ADDRESS_LOADS_BYTES,
    MAX_ANSWER_SECONDS,
    MAX_CACHE_BYTES,
    MAX_CACHED_SESSIONS,
    MAX_CACHED_TOOL_LISTS,
    MAX_LOADS_BYTES,
    MAX_STREAMS_PER_ISOLATE,
    MCP_LIST_TTL_MILLISECONDS,
)
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.polling.schedule import COALESCED_MS
from waypost_worker.polling.wake_up_key import WakeUps
from waypost_worker.queues.departures import Departures
from waypost_worker.queues.handovers import Handovers
from waypost_worker.queues.message_channel import MessageChannel
from waypost_worker.random import Random
from waypost_worker.sessions.host_seat import HostNotices
from waypost_worker.sessions.mcp_address import AddressCache
from waypost_worker.sessions.session import Session, session_cache
from waypost_worker.sessions.single_use_code import single_use_cache
from waypost_worker.telemetry.metrics import Metrics


class CachedTools(NamedTuple):
    """The tools of a session that MCP calls have to know, as JSON by name. `originals`: mapped name -> tool's own name,
    where they differ."""

    version: str
    by_name: dict[str, bytes]
    originals: dict[str, str]


ANNOUNCED_SECONDS = 3600
"""Longer than the interval at which a polling host's presence is announced."""


class Isolate:
    """The shared state of one isolate. Losing it costs time; no message or session depends on it.

    Everything here is bounded in bytes and age, since strangers fill it: tests/whole/test_bounds.py walks all of it.

    `phase_ms`: offset of this isolate's wakeups, so that isolates do not poll KV in step.
    `cursors`: issues cursors that grow over all requests.
    `messages`, `changes`, `address_changes`, `hosts`: local channels for queued messages, for changes of sessions and
        of MCP addresses, and for hosts that come or leave.
    `wake_ups`: the writes of wake-up keys that are to be done, and the last ones.
    `departures`: the streams that left this isolate for a younger one.
    `handovers`: what streams that ended left for the next ones of their clients.
    `sessions`, `single_use_codes`, `mcp_addresses`, `recent_threads`, `mcp_tools`: caches; the tools by session code.
    `compaction_checks`: when the compaction of each conversation was last checked.
    `recent_pops`: the messages that were popped here in the last minutes.
    `answers`: the answers that are being generated here.
    `daily_limits`: the KV operations that are used up today.
    `announced_ms`: when each polling host last announced its presence.
    `background`: tasks of the runtime, held so that they are not garbage collected.
    `bodies`: the bytes of the bodies that are being received or processed.
    `loads`: those of the large values that are being sent.
    `streams`: the places of open streams and waits.
    `open_streams`, `open_proxies`: counts that `/debug/objects` shows.
    `metrics`: counts of what was served here.
    `refused_until_ms`: until when requests are refused, since the isolate is about to be ended.
    """

    def __init__(self, clock: Clock, random: Random) -> None:
        self.phase_ms = random.random_bytes(1)[0] * COALESCED_MS // 256
        self.cursors = CursorFactory(clock, random)
        self.clock = clock
        self._random = random
        self._name = ""
        self.daily_limits = DailyLimits(clock)
        self.messages = MessageChannel(clock)
        self.changes: LocalChannel[Session] = LocalChannel(clock)
        self.address_changes: LocalChannel[bool] = LocalChannel(clock)
        self.hosts: HostNotices = LocalChannel(clock)
        self.departures = Departures(self.cursors.born_ms)
        self.wake_ups = WakeUps()
        self.handovers = Handovers()
        self.sessions = session_cache()
        self.single_use_codes = single_use_cache()
        self.mcp_addresses = AddressCache()
        self.compaction_checks = compaction_checks()
        self.recent_pops = RecentPops()
        self.answers = LiveAnswers()
        self.recent_threads: RecentWrites = RecentWrites()
        self.mcp_tools: BoundedCache[CachedTools] = BoundedCache(
            MAX_CACHED_TOOL_LISTS, MAX_CACHE_BYTES, MCP_LIST_TTL_MILLISECONDS // 1000
        )
        self.announced_ms: BoundedCache[int] = BoundedCache(MAX_CACHED_SESSIONS, MAX_CACHE_BYTES, ANNOUNCED_SECONDS)
        # A task that is older than any answer was ended by the platform, without removing itself.
        self.background: BoundedCache[object] = BoundedCache(
            2 * MAX_STREAMS_PER_ISOLATE, 4 * MAX_CACHE_BYTES, MAX_ANSWER_SECONDS + 2 * ANSWER_GRACE_SECONDS
        )
        self.bodies = BodyBudget(clock)
        self.loads = BodyBudget(clock, MAX_LOADS_BYTES, MAX_ADDRESS_LOADS_BYTES)
        self.streams = OpenStreams(clock)
        self.open_streams = 0
        self.open_proxies = 0
        self.metrics = Metrics(self.cursors.born_ms)
        self.refused_until_ms = 0

    def name(self) -> str:
        """Eight random characters that tell this isolate from others, for diagnostics."""
        self._name = self._name or self._random.random_bytes(4).hex()
        return self._name

    def check(self) -> None:
        """Refuses a request in an isolate that is about to be ended.

        Raises:
            Restarting
        """
        # Usually it is not, and then the clock is not asked.
        if self.refused_until_ms and self.clock.now_ms() < self.refused_until_ms:
            raise Restarting("This instance of the service has failed and is being replaced. Send the request again.")
