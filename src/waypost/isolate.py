"""What the requests of one isolate share: plain data that may vanish at any time, and nothing that can be awaited."""

from collections import OrderedDict
from typing import Any

from waypost.answer import Answers
from waypost.clock import Clock
from waypost.conversation import Checks
from waypost.cursor import CursorFactory
from waypost.hints import Hints
from waypost.joined import JoinedCache
from waypost.message import Message
from waypost.pacing import COALESCED_MS
from waypost.random import Random
from waypost.recent_threads import RecentThreads
from waypost.session import Session, SessionCache
from waypost.thread import Thread


class Isolate:
    """One per isolate, made by the entrypoint; losing it costs time, never a message."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self.phase_ms = random.random_bytes(1)[0] * COALESCED_MS // 256
        self.cursors = CursorFactory(clock, random)
        self.messages: Hints[Message] = Hints()
        self.changes: Hints[Session] = Hints()
        self.sessions: SessionCache = OrderedDict()
        self.joined: JoinedCache = OrderedDict()
        self.checks: Checks = {}
        self.answers = Answers()
        self.threads: RecentThreads[Thread] = RecentThreads()
        self.offers: OrderedDict[str, tuple[str, int, dict[str, Any]]] = OrderedDict()
        self.announced_ms: dict[str, int] = {}
        self.background: set[object] = set()
        self.open_streams = 0
        self.open_proxies = 0
