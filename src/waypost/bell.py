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

    def is_lost(self) -> bool:
        """Whether its loop should have gone on long ago, and has not: the platform ends a request whose client is gone
        without a word to it. What it holds is freed then; it is not to be rung any more."""
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
            # One that was late beyond all bounds has been taken for lost.
            if bell in self._bells:
                self._bells.remove(bell)

    def ring(self) -> None:
        """Ring all of them."""
        self.drop_lost()
        for bell in self._bells:
            bell.ring()

    def drop_lost(self) -> None:
        """Forget those whose loops are gone."""
        self._bells = [bell for bell in self._bells if not bell.is_lost()]
