"""Models behind an OpenAI-compatible API: https://platform.openai.com/docs/api-reference/chat/create"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import msgspec

from waypost_worker.clock import Clock
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import ModelError
from waypost_worker.models.openai_messages import chat_messages
from waypost_worker.models.service import request_completion
from waypost_worker.models.settings import ModelSettings
from waypost_worker.models.transport import FetchedResponse, HttpClient
from waypost_worker.random import Random
from waypost_worker.version import VERSION

HEADERS = {"Accept": "text/event-stream", "Content-Type": "application/json", "User-Agent": f"Waypost/{VERSION}"}


class OpenAiModel:
    """The model port on `{openai_base_url}/chat/completions`."""

    def __init__(self, settings: ModelSettings, http: HttpClient, clock: Clock, random: Random) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock
        self._random = random

    @property
    def name(self) -> str:
        return f"openai: {self._settings.openai_model}"

    async def stream(self, items: Sequence[ChatMessage], model: str | None = None) -> AsyncGenerator[str, None]:
        settings, headers = self._settings, dict(HEADERS)
        if settings.openai_api_key:
            headers["Authorization"] = f"Bearer {settings.openai_api_key}"
        request = {"model": model or settings.openai_model, "messages": chat_messages(items), "stream": True}
        body = msgspec.json.encode(request)

        async def send() -> FetchedResponse:
            url = f"{settings.openai_base_url}/chat/completions"
            return await self._http.post(url, headers, body, settings.timeout_seconds)

        try:
            async with aclosing(request_completion(send, self._clock, self._random)) as deltas:
                async for delta in deltas:
                    yield delta
        except ModelError as error:
            # A service may repeat in its error what it was sent; the key must not reach the log.
            if settings.openai_api_key:
                error.log_detail = error.log_detail.replace(settings.openai_api_key, "[OPENAI_API_KEY]")
            raise
