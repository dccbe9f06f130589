"""The model if none is configured: it needs no network, always answers the same, and shows which messages it got."""

import re
from collections.abc import AsyncGenerator, Sequence

from waypost_worker.clock import Clock
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.models.echo_calls import calls_in, results_told, rule
from waypost_worker.models.model import ModelTool, Piece, ToolUse
from waypost_worker.models.openai_messages import GO_ON, JoinedMessage, text_of

WORD_SECONDS = 0.03
"""Time per word: about that of a fast model."""

WORD = re.compile(r"\S{1,40}\s*|\s+")
"""Matches all of a text, a word at a time; a long word in parts."""

SHOWN_LENGTH = 80
"""Characters to show of an earlier message."""


class EchoModel:
    """Repeats the user's last message and lists the earlier ones, a word at a time. Calls tools where a message asks
    for it, by the rule of `echo_calls.py`, and tells what they returned."""

    name = "echo"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def takes_reasoning(self, model: str | None = None) -> bool:
        return False

    async def stream(
        self, items: Sequence[ChatMessage], model: str | None = None, tools: Sequence[ModelTool] = ()
    ) -> AsyncGenerator[Piece, None]:
        text, calls = _answer(items, tools)
        for word in WORD.findall(text):
            await self._clock.sleep(WORD_SECONDS)
            yield word
        for call in calls:
            yield call


def _answer(items: Sequence[ChatMessage], tools: Sequence[ModelTool]) -> tuple[str, list[ToolUse]]:
    if len(items) > 1 and items[-1].content == GO_ON:
        text, calls = _answer(items[:-2], tools)
        begun = text_of(items[-2].content)
        return text.removeprefix(begun), calls
    asked = [index for index, item in enumerate(items) if item.role == "user"]
    if not asked:
        return "You have not said anything yet.", []
    *earlier, last = [text_of(items[index].content) for index in asked]
    newest = _newest(items[asked[-1]])
    steps = items[asked[-1] + 1 :]
    if calls := calls_in(newest, sum(bool(item.tool_calls) for item in steps), tools):
        return f"I call {', '.join(call.name for call in calls)}.", calls
    if told := results_told(steps):
        return told, []
    if tools and newest.lstrip().startswith("/"):
        return f"There is no such tool. {rule(tools)}", []
    return _echo(earlier, last, tools), []


def _newest(asked: ChatMessage) -> str:
    """The text of the question alone: what stands before it, without an answer, is not to be called again."""
    return text_of(asked.newest if isinstance(asked, JoinedMessage) else asked.content)


def _echo(earlier: Sequence[str], last: str, tools: Sequence[ModelTool]) -> str:
    if not earlier:
        first = f'You said: "{last}". That is the first message of yours that I know.'
        return f"{first} {rule(tools)}" if tools else first
    listed = " ".join(f'{number}. "{_shortened(text)}"' for number, text in enumerate(earlier, 1))
    return f'You said: "{last}". Before that, you told me: {listed}'


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_LENGTH else f"{line[: SHOWN_LENGTH - 1]}…"
