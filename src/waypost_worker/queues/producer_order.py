"""Order per producer: what a producer has numbered, 1, 2, 3 …, is handed on in that order.

A missing number holds back what follows until it comes, is skipped by its producer, or the first message behind the
hole is older than the reorder window: by then everything sent before it would have shown up, so the hole is reported
as a gap and passed. A number that comes after all is handed on at once; late, but not lost.

Where a producer stands is known from three sources, none of them stored: what this reader has handed on, what the
reader brought along from its last connection, and what the producer says is settled (answered, or given up).
"""

from collections.abc import Iterator, Mapping

import msgspec

from waypost_worker.limits import MAX_TRACKED_PRODUCERS, REORDER_WINDOW_SECONDS
from waypost_worker.queues.message import Message


class MissingNumbers(msgspec.Struct, frozen=True):
    """A gap: numbers `first` up to `before` (exclusive) of `producer` did not come."""

    producer: str
    first: int
    before: int


class _Sequence(msgspec.Struct):
    next_number: int = 1
    held: dict[int, list[Message]] = {}


class ProducerOrder:
    """Holds back what came too early. `next_numbers`: where each producer stood when the reader was last here."""

    def __init__(self, next_numbers: Mapping[str, int]) -> None:
        self._sequences = {producer: _Sequence(number) for producer, number in next_numbers.items()}

    @property
    def next_numbers(self) -> dict[str, int]:
        """Where each producer stands; the most recent ones, the latest last."""
        recent = list(self._sequences.items())[-MAX_TRACKED_PRODUCERS:]
        return {producer: sequence.next_number for producer, sequence in recent}

    def hold(self, message: Message) -> None:
        """Take a numbered message, to be released in its turn."""
        producer = str(message.producer)
        sequence = self._sequences.pop(producer, None) or _Sequence()
        self._sequences[producer] = sequence
        sequence.held.setdefault(message.number, []).append(message)
        sequence.next_number = max(sequence.next_number, message.settled_number + 1)

    def release(self, now_ms: int) -> Iterator[Message | MissingNumbers]:
        """What may go now, each producer's in order; skipped numbers are passed in silence."""
        for producer, sequence in self._sequences.items():
            for number in sorted(sequence.held):
                messages = sequence.held[number]
                if number > sequence.next_number:
                    if now_ms - messages[0].accepted_ms <= REORDER_WINDOW_SECONDS * 1000:
                        break
                    yield MissingNumbers(producer, sequence.next_number, number)
                del sequence.held[number]
                sequence.next_number = max(sequence.next_number, number + 1)
                yield from (message for message in messages if message.kind != "skip")
