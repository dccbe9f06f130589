"""What was written to a conversation, as those know who wrote it, and what a reader must find of it.

Cursors are the order of things, so what the writes come to needs no guess about whose clock is right. Of a write that
was refused nobody knows whether it took effect: it may show, and need not.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.journal import Change
from waypost_worker.conversations.message import ChatMessage

SETTLED_SECONDS = 150
"""What was accepted so long ago is seen by everybody: 60 s until it is visible, in a listing that is 60 s old."""

Position = tuple[str, str, int]
"""Where a copy of an item stands: its place, the cursor of its write, its number there."""


@dataclass(slots=True)
class Write:
    """One write; `accepted`: when its writer was told so."""

    cursor: str
    change: Change
    accepted: float | None = None


@dataclass
class Removals:
    """What some writes take away."""

    cleared: str = ""
    dropped: dict[str, str] = field(default_factory=dict)

    def add(self, write: Write) -> None:
        """Also what `write` takes away."""
        if write.change.clears:
            self.cleared = max(self.cleared, write.cursor)
        for name in write.change.drops:
            self.dropped[name] = max(self.dropped.get(name, ""), write.cursor)

    def take(self, copy: "Copy") -> bool:
        """Whether they take `copy` away: it stands before one of them, and is not of the same write."""
        removal = max(self.cleared, self.dropped.get(copy.item.id, ""))
        return copy.position[0] < removal != copy.write.cursor


@dataclass(frozen=True, slots=True)
class Copy:
    """An item as one write has it."""

    position: Position
    item: ChatMessage
    write: Write


@dataclass
class Talk:
    """One conversation of at most `limit` items that lives for `ttl_seconds` after each accepted write."""

    limit: int = 10
    ttl_seconds: int = 1200
    removing: list[Write] = field(default_factory=list)
    possible: Removals = field(default_factory=Removals)
    certain: Removals = field(default_factory=Removals)
    copies: dict[str, list[Copy]] = field(default_factory=dict)
    last: float = 0.0
    quiet_since: float = 0.0
    settled_before: float = 0.0
    has_paused: bool = False
    violations: list[str] = field(default_factory=list)

    def tried(self, change: Change, cursor: str) -> Write:
        """A write begins."""
        write = Write(cursor, change)
        self.possible.add(write)
        if change.clears or change.drops:
            self.removing.append(write)
        for index, item in enumerate(change.items):
            copy = Copy((item.place or cursor, cursor, index), item, write)
            self.copies.setdefault(item.id, []).append(copy)
        return write

    def accepted(self, write: Write) -> None:
        """It was accepted."""
        write.accepted = now()
        self.has_paused |= now() - self.last > self.ttl_seconds - 60
        self.last = now()

    @property
    def is_alive(self) -> bool:
        """Whether it has been remembered all the time, by the clock of any location."""
        return not self.has_paused and now() - self.last <= self.ttl_seconds - 30

    def check(self, view: list[ChatMessage], began: float) -> None:
        """Find what is wrong with `view`, whose reading `began` at that time and is over now."""
        self.settled_before = began - SETTLED_SECONDS
        self.certain = Removals()
        for write in filter(self._is_settled, self.removing):
            self.certain.add(write)
        self.violations += [*self._kept_too_much(view), *self._not_so(view), *self._out_of_order(view)]
        if self.is_alive:
            self.violations += self._missing(view)

    def _kept_too_much(self, view: list[ChatMessage]) -> Iterator[str]:
        if len(view) > self.limit:
            yield f"{len(view)} items are kept"
        calls = {call.id for item in view for call in item.tool_calls}
        yield from (
            f"an answer without its call: {item.id}" for item in view if item.tool_call_id not in calls | {None}
        )

    def _not_so(self, view: list[ChatMessage]) -> Iterator[str]:
        for item in view:
            said = [copy for copy in self.copies.get(item.id, ()) if copy.item == item]
            if not said:
                yield f"never said: {item.id}"
            elif all(map(self.certain.take, said)):
                yield f"taken away, and shown again: {item.id}"
            elif self._is_less(item) and self._is_among_the_last(item.id):
                yield f"shown as less than was accepted: {item.id}"

    def _is_less(self, item: ChatMessage) -> bool:
        return _finality(item) < max((_finality(copy.item) for copy in self._lasting(item.id)), default=0)

    def _out_of_order(self, view: list[ChatMessage]) -> Iterator[str]:
        reached: Position = ("", "", 0)
        for item in view:
            positions = [copy.position for copy in self.copies.get(item.id, ()) if copy.item == item]
            later = [position for position in positions if position >= reached]
            if positions and not later:
                yield f"out of order: {item.id}"
            reached = min(later, default=reached)

    def _missing(self, view: list[ChatMessage]) -> Iterator[str]:
        shown = {item.id for item in view}
        calls = {call.id for item in view for call in item.tool_calls}
        for name in sorted(self.copies.keys() - shown):
            is_answered = self.copies[name][0].item.tool_call_id in calls | {None}
            if is_answered and self._lasting(name) and self._is_among_the_last(name):
                yield f"accepted, among the last {self.limit}, and not in the history: {name}"

    def _is_among_the_last(self, name: str) -> bool:
        """Whether fewer than `limit` others stand behind it, whatever became of these; otherwise a fold may cut it."""
        first = min(copy.position for copy in self.copies[name])
        others = (copies for other, copies in self.copies.items() if other != name)
        return sum(max(copy.position for copy in copies) > first for copies in others) < self.limit

    def _lasting(self, name: str) -> list[Copy]:
        """Copies that everybody sees and that nothing can have taken away."""
        return [copy for copy in self.copies[name] if self._is_settled(copy.write) and not self.possible.take(copy)]

    def _is_settled(self, write: Write) -> bool:
        return write.accepted is not None and write.accepted <= self.settled_before


class Recorded(Conversation):
    """A conversation whose writes are known to `talk`."""

    talk: Talk

    async def _write(self, change: Change, cursor: str) -> str:
        write = self.talk.tried(change, cursor)
        try:
            await super()._write(change, cursor)
            self.talk.accepted(write)
        finally:
            self.talk.quiet_since = now()
        return cursor


def _finality(item: ChatMessage) -> int:
    return 0 if item.is_open else 1 if item.partial else 2


def now() -> float:
    """Seconds since the run began."""
    return asyncio.get_running_loop().time()
