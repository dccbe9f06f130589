"""The model where none is configured: no network, the same answer every time, and one that shows what it was told."""

import re
from collections.abc import AsyncGenerator, Sequence

from waypost_worker.clock import Clock
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.models.openai_messages import text_of

WORD_SECONDS = 0.03
"""About as fast as a model that people find quick."""

WORD = re.compile(r"\S{1,40}\s*|\s+")
"""All of a text, in pieces; a word without end comes in several."""

SHOWN_LENGTH = 80
"""Characters that are shown of an earlier message."""


class EchoModel:
    """Repeats the user's message and lists those before it, a word at a time."""

    name = "echo"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def stream(self, items: Sequence[ChatMessage], model: str | None = None) -> AsyncGenerator[str, None]:
        for word in WORD.findall(_reply(items)):
            await self._clock.sleep(WORD_SECONDS)
            yield word


def _reply(items: Sequence[ChatMessage]) -> str:
    told = [text_of(item.content) for item in items if item.role == "user"]
    if not told:
        return "You have not said anything yet."
    *earlier, last = told
    if not earlier:
        return f'You said: "{last}". That is the first message of yours that I know.'
    listed = " ".join(f'{number}. "{_shortened(text)}"' for number, text in enumerate(earlier, 1))
    return f'You said: "{last}". Before that, you told me: {listed}'


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_LENGTH else f"{line[: SHOWN_LENGTH - 1]}…"
