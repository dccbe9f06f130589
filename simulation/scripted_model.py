"""A model that streams a script, in virtual time."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from waypost_worker.conversations.message import ChatMessage
from waypost_worker.models.model import ModelTool, Piece, Reasoning, ToolUse

Step = Piece | float | Exception
"""Text, reasoning or a call to stream, seconds of silence, or an error to raise."""

Script = Sequence[Step]


class ScriptedModel:
    """Streams one script per call, and the last one again for each further call.

    `asked`: the messages of each call. `models`: the model that each call named. `tools`: the tools that each call
    offered. `ended`: the number of answers that have ended, by the script or by the caller.
    """

    name = "scripted"

    def __init__(self, *scripts: Script) -> None:
        self._scripts = scripts
        self.asked: list[list[ChatMessage]] = []
        self.models: list[str | None] = []
        self.tools: list[list[ModelTool]] = []
        self.ended = 0

    def takes_reasoning(self, model: str | None = None) -> bool:
        return False

    async def stream(
        self, items: Sequence[ChatMessage], model: str | None = None, tools: Sequence[ModelTool] = ()
    ) -> AsyncGenerator[Piece, None]:
        script = self._scripts[min(len(self.asked), len(self._scripts) - 1)]
        self.asked.append(list(items))
        self.models.append(model)
        self.tools.append(list(tools))
        try:
            for step in script:
                if isinstance(step, str | Reasoning | ToolUse):
                    yield step
                elif isinstance(step, Exception):
                    raise step
                else:
                    await asyncio.sleep(step)
        finally:
            self.ended += 1


def counted(last: int, seconds: float = 1.0) -> list[Step]:
    """A script of the numbers from 1 to `last`, one every `seconds`."""
    return [step for number in range(1, last + 1) for step in (seconds, f"{number} ")]
