"""State that the requests of one isolate share: plain data that may vanish at any time, and nothing to await."""

from collections import OrderedDict
from typing import Any, NamedTuple

from waypost_worker.chat.live_answer import LiveAnswers
from waypost_worker.clock import Clock
from waypost_worker.conversations.conversation import CompactionChecks
from waypost_worker.conversations.thread import RecentWrites
from waypost_worker.kv.cursor import CursorFactory
from waypost_worker.polling.local_channel import LocalChannel
from waypost_worker.polling.schedule import COALESCED_MS
from waypost_worker.queues.message import Message
from waypost_worker.random import Random
from waypost_worker.sessions.session import Session, SessionCache
from waypost_worker.sessions.single_use_code import SingleUseCache


class CachedTools(NamedTuple):
    """The tools of a session that MCP calls have to know, as read at `read_ms`."""

    version: str
    read_ms: int
    by_name: dict[str, Any]


class Isolate:
    """The shared state of one isolate. Losing it costs time; no message or session depends on it.

    `phase_ms`: offset of this isolate's wakeups, so that isolates do not poll KV in step.
    `cursors`: issues cursors that grow over all requests.
    `messages`, `changes`: local channels for queued messages and for changes of sessions.
    `sessions`, `single_use_codes`, `recent_threads`, `mcp_tools`: caches; the tools by session code.
    `compaction_checks`: when the compaction of each conversation was last checked.
    `answers`: the answers that are being generated here.
    `announced_ms`: when each polling host last announced its presence.
    `background`: tasks of the runtime, held so that they are not garbage collected.
    `open_streams`, `open_proxies`: counts that `/debug/objects` shows.
    """

    def __init__(self, clock: Clock, random: Random) -> None:
        self.phase_ms = random.random_bytes(1)[0] * COALESCED_MS // 256
        self.cursors = CursorFactory(clock, random)
        self.messages: LocalChannel[Message] = LocalChannel()
        self.changes: LocalChannel[Session] = LocalChannel()
        self.sessions: SessionCache = OrderedDict()
        self.single_use_codes: SingleUseCache = OrderedDict()
        self.compaction_checks: CompactionChecks = {}
        self.answers = LiveAnswers()
        self.recent_threads: RecentWrites = RecentWrites()
        self.mcp_tools: OrderedDict[str, CachedTools] = OrderedDict()
        self.announced_ms: dict[str, int] = {}
        self.background: set[object] = set()
        self.open_streams = 0
        self.open_proxies = 0
