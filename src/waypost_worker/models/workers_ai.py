"""Models of Workers AI, by its binding: https://developers.cloudflare.com/workers-ai/configuration/bindings/"""

from collections.abc import AsyncGenerator, Callable, Sequence

from waypost_worker.clock import Clock
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.models.model import ModelTool, Piece
from waypost_worker.models.openai_messages import chat_messages
from waypost_worker.models.service import request_completion
from waypost_worker.models.settings import ModelSettings
from waypost_worker.models.tool_definitions import with_tools
from waypost_worker.models.transport import AiBinding, FetchedResponse
from waypost_worker.random import Random


class WorkersAiModel:
    """The model port on the Workers AI binding."""

    def __init__(
        self, settings: ModelSettings, ai: AiBinding, clock: Clock, random: Random, log: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._ai = ai
        self._clock = clock
        self._random = random
        self._log = log

    @property
    def name(self) -> str:
        return f"workers-ai: {self._settings.workers_ai_model}"

    def stream(
        self, items: Sequence[ChatMessage], model: str | None = None, tools: Sequence[ModelTool] = ()
    ) -> AsyncGenerator[Piece, None]:
        settings = self._settings
        name = model or settings.workers_ai_model
        inputs = {**with_tools(settings.parameters, tools), "messages": chat_messages(items, name), "stream": True}

        async def send() -> FetchedResponse:
            return await self._ai.run(name, inputs, settings.timeout_seconds)

        return request_completion(send, self._clock, self._random, self._log, tools)
