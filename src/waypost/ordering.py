"""Order per producer: what a producer has numbered is handed on in that order.

A missing number holds back what follows until it comes, is skipped by its producer, or the first message behind the
hole is older than the reorder window: by then everything sent before it would have shown up, so the hole is reported
as a gap and passed. A number that comes after all is handed on at once; late, but not lost.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from waypost.limits import REORDER_WINDOW_SECONDS
from waypost.message import Message


@dataclass(frozen=True, slots=True)
class MissingNumber:
    """A gap: numbers `seq` up to `before` (exclusive) of `producer` did not come."""

    producer: str
    seq: int
    before: int


@dataclass(slots=True)
class _Line:
    next_seq: int | None = None
    held: dict[int, list[Message]] = field(default_factory=dict)


class ProducerOrder:
    """Holds back what came too early. It knows only what it was offered since the stream began: the lowest number
    that it sees first from a producer is where that producer starts."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    def hold(self, message: Message) -> None:
        """Take a numbered message, to be released in its turn."""
        line = self._lines.setdefault(str(message.producer), _Line())
        line.held.setdefault(message.number, []).append(message)

    def release(self, now_ms: int) -> Iterator[Message | MissingNumber]:
        """What may go now, each producer's in order; skipped numbers are passed in silence."""
        for producer, line in self._lines.items():
            for seq in sorted(line.held):
                messages = line.held[seq]
                if line.next_seq is not None and seq > line.next_seq:
                    if now_ms - messages[0].accepted_ms <= REORDER_WINDOW_SECONDS * 1000:
                        break
                    yield MissingNumber(producer, line.next_seq, seq)
                del line.held[seq]
                line.next_seq = max(seq + 1, line.next_seq or 0)
                yield from (message for message in messages if message.kind != "skip")
