"""The model if none is configured: it needs no network, always answers the same, and shows which messages it got."""

import re
from collections.abc import AsyncGenerator, Sequence

from waypost_worker.clock import Clock
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.models.model import ModelTool, Piece
from waypost_worker.models.openai_messages import text_of

WORD_SECONDS = 0.03
"""Time per word: about that of a fast model."""

WORD = re.compile(r"\S{1,40}\s*|\s+")
"""Matches all of a text, a word at a time; a long word in parts."""

SHOWN_LENGTH = 80
"""Characters to show of an earlier message."""


class EchoModel:
    """Repeats the user's last message and lists the earlier ones, a word at a time."""

    name = "echo"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def stream(
        self, items: Sequence[ChatMessage], model: str | None = None, tools: Sequence[ModelTool] = ()
    ) -> AsyncGenerator[Piece, None]:
        for word in WORD.findall(_reply(items)):
            await self._clock.sleep(WORD_SECONDS)
            yield word


def _reply(items: Sequence[ChatMessage]) -> str:
    texts = [text_of(item.content) for item in items if item.role == "user"]
    if not texts:
        return "You have not said anything yet."
    *earlier, last = texts
    if not earlier:
        return f'You said: "{last}". That is the first message of yours that I know.'
    listed = " ".join(f'{number}. "{_shortened(text)}"' for number, text in enumerate(earlier, 1))
    return f'You said: "{last}". Before that, you told me: {listed}'


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_LENGTH else f"{line[: SHOWN_LENGTH - 1]}…"
