"""What the requests of one isolate share: plain data that may vanish at any time, and nothing that can be awaited."""

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
    """One per isolate, made by the entrypoint; losing it costs time, never a message."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self.phase_ms = random.random_bytes(1)[0] * COALESCED_MS // 256
        self.cursors = CursorFactory(clock, random)
        self.messages: LocalChannel[Message] = LocalChannel()
        self.changes: LocalChannel[Session] = LocalChannel()
        self.sessions: SessionCache = OrderedDict()
        self.single_use_codes: SingleUseCache = OrderedDict()
        self.compaction_checks: CompactionChecks = {}
        self.answers = LiveAnswers()
        self.threads: RecentWrites = RecentWrites()
        self.mcp_tools: OrderedDict[str, CachedTools] = OrderedDict()
        self.announced_ms: dict[str, int] = {}
        self.background: set[object] = set()
        self.open_streams = 0
        self.open_proxies = 0
