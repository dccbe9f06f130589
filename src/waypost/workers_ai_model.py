"""Models that run on Cloudflare itself: https://developers.cloudflare.com/workers-ai/configuration/bindings/"""

from collections.abc import AsyncGenerator, Sequence

from waypost.ai_binding import AiBinding
from waypost.chat_messages import chat_messages
from waypost.clock import Clock
from waypost.http_client import Fetched
from waypost.item import Item
from waypost.model_service import ask_service
from waypost.model_settings import ModelSettings
from waypost.random import Random


class WorkersAiModel:
    """The model port on Workers AI."""

    def __init__(self, settings: ModelSettings, ai: AiBinding, clock: Clock, random: Random) -> None:
        self._settings = settings
        self._ai = ai
        self._clock = clock
        self._random = random

    @property
    def name(self) -> str:
        return f"workers-ai: {self._settings.workers_ai_model}"

    def stream(self, items: Sequence[Item], model: str | None = None) -> AsyncGenerator[str, None]:
        messages = chat_messages(items)

        async def send() -> Fetched:
            settings = self._settings
            return await self._ai.run(model or settings.workers_ai_model, messages, settings.timeout_seconds)

        return ask_service(send, self._clock, self._random)
