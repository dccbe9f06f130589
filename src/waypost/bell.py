"""A bell wakes a loop before its time: what one request does, another's loop need not look for again and again.

Ringing says nothing but "look now": what there is to see is plain data that the isolate's requests share. A ring that
gets lost (it can't cross isolates) costs time, and never a message.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Bell(Protocol):
    """One loop's bell."""

    def ring(self) -> None:
        """Wake the loop, or keep it from its next sleep. Any request of the isolate may ring, as often as it likes."""
        ...

    async def wait(self, seconds: float) -> None:
        """Return once it was rung since the last wait, or after about `seconds`."""
        ...


class Bells:
    """The bells of those who want to hear of one thing."""

    def __init__(self) -> None:
        self._bells: list[Bell] = []

    def __len__(self) -> int:
        return len(self._bells)

    @contextmanager
    def listening(self, bell: Bell) -> Iterator[None]:
        """`bell` is one of them for as long as this lasts."""
        self._bells.append(bell)
        try:
            yield
        finally:
            self._bells.remove(bell)

    def ring(self) -> None:
        """Ring all of them."""
        for bell in self._bells:
            bell.ring()
