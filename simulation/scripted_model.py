"""A model that says what its script says, when it says so."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from waypost_worker.conversations.message import ChatMessage

Step = str | float | Exception
"""Text that is said, seconds of silence, or what goes wrong."""

Script = Sequence[Step]


class ScriptedModel:
    """Follows one script each time it is asked; the last one also whenever it is asked again.

    `asked`: what it was shown, each time. `models`: which model was wanted, each time. `ended`: how many of its answers
    are over, whoever ended them.
    """

    name = "scripted"

    def __init__(self, *scripts: Script) -> None:
        self._scripts = scripts
        self.asked: list[list[ChatMessage]] = []
        self.models: list[str | None] = []
        self.ended = 0

    async def stream(self, items: Sequence[ChatMessage], model: str | None = None) -> AsyncGenerator[str, None]:
        script = self._scripts[min(len(self.asked), len(self._scripts) - 1)]
        self.asked.append(list(items))
        self.models.append(model)
        try:
            for step in script:
                if isinstance(step, str):
                    yield step
                elif isinstance(step, Exception):
                    raise step
                else:
                    await asyncio.sleep(step)
        finally:
            self.ended += 1


def counted(last: int, seconds: float = 1.0) -> list[Step]:
    """The numbers from 1 to `last`, one after each `seconds`."""
    return [step for number in range(1, last + 1) for step in (seconds, f"{number} ")]
