"""What a host remembers of each call, so that none runs twice and a repeat gets the first answer."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import msgspec

from waypost.types import SessionRecord

MAX_CALLS = 10_000
"""Calls that are kept of one session. An answered one can come again for two minutes."""

MAX_KEPT_ANSWER_BYTES = 256 * 1024
"""A larger answer is dropped once the server has it: a repeat of its call needs none of the host then."""

MAX_KEPT_BYTES = 64 * 1024 * 1024
"""All delivered answers that `MemoryLedger` keeps."""

Status = Literal["running", "answered", "cancelled"]


class Entry(msgspec.Struct, frozen=True):
    """A call. `answer`: the JSON to send; `None` if it was delivered and is too large to keep. `delivered`: the server
    has it."""

    status: Status
    tool: str
    answer: bytes | None = None
    delivered: bool = False


class Ledger(Protocol):
    """Remembers calls by the name of their session's memory and their ids. A host may call it from several threads, but
    never twice at the same time. What it raises keeps a call from running."""

    blocks: bool
    """Whether its methods take time, so that they are called in a thread."""

    def open(self, memory: str) -> bool:
        """Begins with a session. Returns whether it knows it already."""

    def find(self, memory: str, id: str) -> Entry | None:
        """What it knows of a call."""

    def begin(self, memory: str, id: str, tool: str) -> Entry | None:
        """Notes that a call runs, unless it knows it: then it returns what it knows."""

    def answer(self, memory: str, id: str, tool: str, answer: bytes) -> None:
        """Notes an answer before it is sent."""

    def delivered(self, memory: str, id: str) -> None:
        """Notes that the server has the answer."""

    def cancel(self, memory: str, id: str) -> None:
        """Notes that a call was taken back, unless it is answered."""

    def undelivered(self, memory: str) -> list[tuple[str, Entry]]:
        """The answers that the server may not have."""

    def count(self, memory: str) -> int:
        """How many calls of a session it knows."""

    def forget(self, memory: str) -> None:
        """Forgets a session, which is over."""


class MemoryLedger:
    """Remembers calls as long as the process lives: once per process."""

    blocks = False

    def __init__(self, *, max_calls: int = MAX_CALLS, max_kept_bytes: int = MAX_KEPT_BYTES) -> None:
        self._max_calls = max_calls
        self._max_kept_bytes = max_kept_bytes
        self._sessions: dict[str, dict[str, Entry]] = {}
        self._kept_bytes = 0

    def open(self, memory: str) -> bool:
        is_known = memory in self._sessions
        self._sessions.setdefault(memory, {})
        return is_known

    def find(self, memory: str, id: str) -> Entry | None:
        return self._sessions[memory].get(id)

    def begin(self, memory: str, id: str, tool: str) -> Entry | None:
        known = self._sessions[memory].get(id)
        if known is None:
            self._put(memory, id, Entry("running", tool))
        return known

    def answer(self, memory: str, id: str, tool: str, answer: bytes) -> None:
        self._put(memory, id, Entry("answered", tool, answer))

    def delivered(self, memory: str, id: str) -> None:
        entry = self._sessions[memory].get(id)
        if entry is None or entry.delivered:
            return
        size = len(entry.answer or b"")
        is_kept = size <= MAX_KEPT_ANSWER_BYTES and self._kept_bytes + size <= self._max_kept_bytes
        self._kept_bytes += size if is_kept else 0
        self._put(memory, id, Entry("answered", entry.tool, entry.answer if is_kept else None, delivered=True))

    def cancel(self, memory: str, id: str) -> None:
        known = self._sessions[memory].get(id)
        if known is None or known.status != "answered":
            self._put(memory, id, Entry("cancelled", known.tool if known else ""))

    def undelivered(self, memory: str) -> list[tuple[str, Entry]]:
        calls = self._sessions[memory].items()
        return [(id, entry) for id, entry in calls if entry.status == "answered" and not entry.delivered]

    def count(self, memory: str) -> int:
        return len(self._sessions[memory])

    def forget(self, memory: str) -> None:
        for entry in self._sessions.pop(memory, {}).values():
            self._release(entry)

    def _put(self, memory: str, id: str, entry: Entry) -> None:
        calls = self._sessions[memory]
        calls.pop(id, None)
        calls[id] = entry
        if len(calls) > self._max_calls:
            self._shed(calls)

    def _shed(self, calls: dict[str, Entry]) -> None:
        """Drops the oldest call that is neither running nor undelivered."""
        for id, entry in calls.items():
            if entry.delivered or entry.status == "cancelled":
                self._release(calls.pop(id))
                return

    def _release(self, entry: Entry) -> None:
        if entry.delivered:
            self._kept_bytes -= len(entry.answer or b"")


@runtime_checkable
class KeepsSessions(Protocol):
    """A ledger that keeps sessions too, and is one process's alone: a program that starts again goes on with its own,
    and knows that its last run is over."""

    def save_session(self, record: SessionRecord) -> None:
        """Keeps a session's record."""

    def saved_session(self, base_url: str) -> SessionRecord | None:
        """The newest record of a server, if it may not have expired."""
