"""What a host does with a request, by what it remembers of it. No input or output."""

from __future__ import annotations

import msgspec

from waypost.host.ledger import Entry
from waypost.host.results import error_answer

REFUSED = error_answer("refused", "The person at the host has refused this call.")
NOT_REMEMBERED = error_answer("not_remembered", "The host could not write this call down, and did not run it.")
SESSION_FULL = error_answer("session_full", "This session has run as many calls as it may: open a new one.")
INTERRUPTED = error_answer(
    "interrupted", "The host ended while this call ran, so it may have taken effect. It was not run again."
)


class Run(msgspec.Struct, frozen=True):
    """Run it. `restarted`: it was begun before."""

    restarted: bool = False


class Answer(msgspec.Struct, frozen=True):
    """Answer with this, which is noted first if `is_new`."""

    answer: bytes
    is_new: bool = False


class Ignore(msgspec.Struct, frozen=True):
    """Do nothing, and acknowledge its message: it was taken back, or its answer is at the server."""


def decide(entry: Entry | None, *, reruns: bool, restarted: bool = False) -> Run | Answer | Ignore:
    """`reruns`: whether its tool may run again after a crash. `restarted`: another host may have begun it.

    A call that was begun in an earlier process, and not answered, may have taken effect: it is run again only if its
    tool says that this does no harm."""
    if entry is None:
        return Run(restarted)
    if entry.status == "cancelled":
        return Ignore()
    if entry.status == "running":
        return Run(True) if reruns else Answer(INTERRUPTED, is_new=True)
    return Ignore() if entry.answer is None else Answer(entry.answer)
