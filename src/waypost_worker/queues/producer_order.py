"""Order per producer: messages that a producer numbers 1, 2, 3 … are released in that order.

A missing number holds back the messages behind it until it comes, its producer skips it, or the first message behind
the hole is older than the reorder window. By then every message sent before it would be visible, so the hole is
reported as a gap. A number that comes after its gap is released immediately.

A producer's next number has three sources, none of them stored: what this reader has released, the cursor that the
reader resumed with, and the numbers that the producer declares settled (answered, or given up).
"""

from collections.abc import Iterator, Mapping

import msgspec

from waypost_worker.limits import MAX_TRACKED_PRODUCERS, REORDER_WINDOW_SECONDS
from waypost_worker.queues.message import Message


class MissingNumbers(msgspec.Struct, frozen=True):
    """A gap: the numbers from `first` up to `before` (exclusive) of `producer` are missing."""

    producer: str
    first: int
    before: int


class _Sequence(msgspec.Struct):
    next_number: int = 1
    held: dict[int, list[Message]] = {}
    gone: set[int] = set()

    def is_gone(self, before: int) -> bool:
        """Whether every number up to `before` (exclusive) is expected no more."""
        # A hole may be of any size, and nearly always nothing is gone. Not the length of the range: Pyodide's Python
        # has 32 bits, and raises OverflowError.
        is_small = before - self.next_number <= len(self.gone)
        return is_small and self.gone.issuperset(range(self.next_number, before))


class ProducerOrder:
    """Holds back messages that came too early. `next_numbers`: each producer's next number, of the reader's cursor."""

    def __init__(self, next_numbers: Mapping[str, int]) -> None:
        self._sequences = {producer: _Sequence(number) for producer, number in next_numbers.items()}

    @property
    def next_numbers(self) -> dict[str, int]:
        """Each producer's next number, for the most recent producers, the latest last."""
        recent = list(self._sequences.items())[-MAX_TRACKED_PRODUCERS:]
        return {producer: sequence.next_number for producer, sequence in recent}

    @property
    def is_holding(self) -> bool:
        """Whether messages are held back."""
        return any(sequence.held for sequence in self._sequences.values())

    def hold(self, message: Message) -> None:
        """Takes a numbered message, until its turn comes."""
        producer = str(message.producer)
        sequence = self._sequences.pop(producer, None) or _Sequence()
        self._sequences[producer] = sequence
        sequence.held.setdefault(message.number, []).append(message)
        sequence.next_number = max(sequence.next_number, message.settled_number + 1)

    def give_up(self, message: Message) -> None:
        """Another host seems to have answered this message: what is behind it does not wait for it. If it comes after
        all, it comes after its gap."""
        self._sequences.setdefault(str(message.producer), _Sequence()).gone.add(message.number)

    def release(self, now_ms: int) -> Iterator[Message | MissingNumbers]:
        """The messages whose turn has come, each producer's in order, and the gaps; skipped numbers are left out."""
        for producer, sequence in self._sequences.items():
            for number in sorted(sequence.held):
                messages = sequence.held[number]
                if number > sequence.next_number:
                    if (
                        not sequence.is_gone(number)
                        and now_ms - messages[0].accepted_ms <= REORDER_WINDOW_SECONDS * 1000
                    ):
                        break
                    yield MissingNumbers(producer, sequence.next_number, number)
                del sequence.held[number]
                sequence.next_number = max(sequence.next_number, number + 1)
                sequence.gone = {other for other in sequence.gone if other > number}
                yield from (message for message in messages if message.kind != "skip")
