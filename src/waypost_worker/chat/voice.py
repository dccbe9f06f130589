"""A voice agent's turn: one question, one answer that is spoken when it is whole."""

import asyncio
import traceback
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any

from waypost_worker.clock import Clock
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.message import ChatMessage, last_messages
from waypost_worker.errors import ModelError, ModelFailed, WaypostError
from waypost_worker.limits import MAX_ANSWER_CHARACTERS
from waypost_worker.models.model import AnswerCutOff, Model


class VoiceAgent:
    """Answers questions to one conversation, of which the last `limit` messages are kept."""

    def __init__(
        self,
        conversation: Conversation,
        model: Model,
        instructions: str,
        limit: int,
        clock: Clock,
        background: Callable[[Coroutine[Any, Any, None]], None],
        log: Callable[[str], None],
    ) -> None:
        self._conversation = conversation
        self._model = model
        self._system = [ChatMessage("instructions", "system", instructions, 0)] if instructions else []
        self._limit = limit
        self._clock = clock
        self._background = background
        self._log = log

    async def answer(self, question: str) -> tuple[str, int]:
        """The answer, and how many messages the conversation has with it. Question and answer are kept together, by
        then, also when the client has gone away in between; or neither is.

        Raises:
            ModelFailed, ModelTimedOut, StorageUnavailable: neither is kept.
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

        self._background(work())
        await ended.wait()
        if failures:
            raise failures[0]
        if not turns:
            # The platform ended it.
            raise ModelFailed("The model broke off.")
        return turns[0]

    async def _turn(self, items: Sequence[ChatMessage], question: str) -> tuple[str, int]:
        now = self._clock.now_ms()
        cursor = self._conversation.new_cursor()
        asked = ChatMessage(f"{cursor}-q", "user", question, now)
        text = await self._listen([*self._system, *last_messages([*items, asked], self._limit)])
        said = ChatMessage(cursor, "assistant", text, self._clock.now_ms())
        # Under a cursor of now: the one above is as old as the model took, and appends are not to come late.
        await self._conversation.append([asked, said])
        return text, len(last_messages([*items, asked, said], self._limit))

    async def _listen(self, prompt: Sequence[ChatMessage]) -> str:
        chunks: list[str] = []
        characters = 0
        try:
            async with aclosing(self._model.stream(prompt)) as said:
                async for chunk in said:
                    chunks.append(chunk)
                    characters += len(chunk)
                    if characters > MAX_ANSWER_CHARACTERS:
                        raise ModelFailed("The model did not come to an end.")
        except AnswerCutOff:
            # What is to be spoken may end there.
            pass
        except ModelError as failure:
            if failure.log_detail:
                self._log(f"{failure.code}: {failure.log_detail}")
            raise
        except Exception as error:
            self._log(f"a model broke off\n{traceback.format_exc()}")
            raise ModelFailed("The model broke off.") from error
        return "".join(chunks)
