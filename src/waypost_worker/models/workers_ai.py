"""Models of Workers AI, by its binding: https://developers.cloudflare.com/workers-ai/configuration/bindings/"""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from waypost_worker.clock import Clock
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.models.demands import REASONING, Demands, meet
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
        self._demands = Demands()

    @property
    def name(self) -> str:
        return f"workers-ai: {self._settings.workers_ai_model}"

    def takes_reasoning(self, model: str | None = None) -> bool:
        return REASONING in self._demands.of(model or self._settings.workers_ai_model)

    def stream(
        self, items: Sequence[ChatMessage], model: str | None = None, tools: Sequence[ModelTool] = ()
    ) -> AsyncGenerator[Piece, None]:
        name = model or self._settings.workers_ai_model
        met = self._demands.of(name)
        inputs = self._inputs(items, name, tools, met)

        async def send() -> FetchedResponse:
            return await self._ai.run(name, inputs, self._settings.timeout_seconds)

        def adapt(refusal: str) -> bool:
            nonlocal met, inputs
            before, met = met, self._demands.learn(name, refusal, met)
            if met == before:
                return False
            inputs = self._inputs(items, name, tools, met)
            return True

        return request_completion(send, self._clock, self._random, self._log, tools, adapt)

    def _inputs(
        self, items: Sequence[ChatMessage], name: str, tools: Sequence[ModelTool], demands: frozenset[str]
    ) -> dict[str, Any]:
        messages = chat_messages(items, name, with_reasoning=REASONING in demands)
        return meet(demands, {**with_tools(self._settings.parameters, tools), "messages": messages, "stream": True})
