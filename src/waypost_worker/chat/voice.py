"""A voice agent's turn: one question, and one answer, which is spoken once it is complete."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from functools import partial

from waypost_worker.chat.asking import ask_model
from waypost_worker.chat.context import ChatContext
from waypost_worker.chat.prompt import build_prompt
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.conversations.window import last_messages
from waypost_worker.errors import ModelFailed, WaypostError
from waypost_worker.limits import MAX_ANSWER_CHARACTERS
from waypost_worker.models.model import AnswerCutOff, Piece, ToolUse, raising_model_errors


class VoiceAgent:
    """Answers questions in the conversation `session_id`."""

    def __init__(self, context: ChatContext, session_id: str) -> None:
        self._context = context
        self._conversation = context.conversation(session_id)

    async def answer(self, question: str) -> tuple[str, int]:
        """Returns the answer, and how many messages the conversation has with it.

        Question and answer are kept together, in one write, before this returns; also if the client disconnects before
        that. If this raises, neither is kept.

        Raises:
            RateLimited: the prompt costs more than is left of the asker's budget.
            ModelFailed, ModelTimedOut, PromptTooLong: the model failed, also after a part of its answer.
            StorageUnavailable, BudgetSpent: the conversation can't be read or written.
        """
        items = await self._conversation.read()
        ended = asyncio.Event()
        turns: list[tuple[str, int]] = []
        failures: list[WaypostError] = []

        async def work() -> None:
            try:
                turns.append(await self._turn(items, question))
            except WaypostError as failure:
                failures.append(failure)
            finally:
                ended.set()
            await self._conversation.compact_if_due()

        self._context.background(work())
        await ended.wait()
        if failures:
            raise failures[0]
        if not turns:
            # The platform ended the background task.
            raise ModelFailed("The model broke off.")
        return turns[0]

    async def _turn(self, items: Sequence[ChatMessage], text: str) -> tuple[str, int]:
        model, limit = self._context.settings.model, self._conversation.window.messages
        cursor = self._conversation.new_cursor()
        question = ChatMessage(f"{cursor}-q", "user", text, self._context.now_ms())
        build = partial(build_prompt, [*items, question], model.instructions, model)
        prompt = build(None)
        await self._context.charge(prompt.characters)
        answer_text, reasoning = await self._generate(
            ask_model(self._context.model, build, prompt, self._conversation.shown)
        )
        answer = ChatMessage(cursor, "assistant", answer_text, self._context.now_ms(), reasoning=reasoning)
        # Under a new cursor: `cursor` is as old as the model took, and an append must not be late.
        await self._conversation.append([question, answer])
        return answer_text, len(last_messages([*items, question, answer], limit))

    async def _generate(self, stream: AsyncGenerator[Piece, None]) -> tuple[str, str]:
        """The text of the answer, and the reasoning, which is kept but not spoken."""
        texts: list[str] = []
        reasoning: list[str] = []
        characters = 0
        # An answer that the model cut off may be spoken as it is.
        with suppress(AnswerCutOff), raising_model_errors(self._context.log):
            async with aclosing(stream) as pieces:
                async for piece in pieces:
                    if isinstance(piece, ToolUse):
                        continue  # The model was offered no tools.
                    text, kind = (piece, texts) if isinstance(piece, str) else (piece.text, reasoning)
                    kind.append(text)
                    characters += len(text)
                    if characters > MAX_ANSWER_CHARACTERS:
                        raise ModelFailed("The model did not come to an end.")
        return "".join(texts), "".join(reasoning)
