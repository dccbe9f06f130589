"""Models behind an OpenAI-compatible API: https://platform.openai.com/docs/api-reference/chat/create"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from urllib.parse import parse_qsl

import msgspec

from waypost_worker.clock import Clock
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import ModelError
from waypost_worker.models.demands import REASONING, Demands, meet
from waypost_worker.models.model import ModelTool, Piece
from waypost_worker.models.openai_messages import chat_messages
from waypost_worker.models.service import request_completion
from waypost_worker.models.settings import ModelSettings
from waypost_worker.models.tool_definitions import with_tools
from waypost_worker.models.transport import FetchedResponse, HttpClient
from waypost_worker.random import Random
from waypost_worker.version import VERSION

HEADERS = {"accept": "text/event-stream", "content-type": "application/json", "user-agent": f"Waypost/{VERSION}"}

MIN_SECRET_LENGTH = 8
"""Values of headers and queries from this length on are taken out of the log; shorter ones would take words out."""


class OpenAiModel:
    """The model port on `{openai_base_url}/chat/completions`. `log`: for the operator."""

    def __init__(
        self, settings: ModelSettings, http: HttpClient, clock: Clock, random: Random, log: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock
        self._random = random
        self._log = log
        self._demands = Demands()
        query = f"?{settings.openai_query}" if settings.openai_query else ""
        self._url = f"{settings.openai_base_url}/chat/completions{query}"
        self._headers = {**HEADERS, **settings.openai_headers}
        if settings.openai_api_key and "authorization" not in self._headers:
            self._headers["authorization"] = f"Bearer {settings.openai_api_key}"

    @property
    def name(self) -> str:
        return f"openai: {self._settings.openai_model}"

    def takes_reasoning(self, model: str | None = None) -> bool:
        return REASONING in self._demands.of(model or self._settings.openai_model)

    async def stream(
        self, items: Sequence[ChatMessage], model: str | None = None, tools: Sequence[ModelTool] = ()
    ) -> AsyncGenerator[Piece, None]:
        timeout_seconds = self._settings.timeout_seconds
        name = model or self._settings.openai_model
        met = self._demands.of(name)
        body = self._body(items, name, tools, met)

        async def send() -> FetchedResponse:
            return await self._http.post(self._url, self._headers, body, timeout_seconds)

        def adapt(refusal: str) -> bool:
            nonlocal met, body
            before, met = met, self._demands.learn(name, refusal, met)
            if met == before:
                return False
            body = self._body(items, name, tools, met)
            return True

        def log(text: str) -> None:
            self._log(self._without_secrets(text))

        try:
            async with aclosing(request_completion(send, self._clock, self._random, log, tools, adapt)) as pieces:
                async for piece in pieces:
                    # Megabytes, if there are images, that would be kept until the answer ends.
                    items = ()
                    yield piece
        except ModelError as error:
            error.log_detail = self._without_secrets(error.log_detail)
            raise

    def _body(
        self, items: Sequence[ChatMessage], name: str, tools: Sequence[ModelTool], demands: frozenset[str]
    ) -> bytes:
        messages = chat_messages(items, name, with_reasoning=REASONING in demands)
        asked = {"model": name, "messages": messages, "stream": True}
        return msgspec.json.encode(meet(demands, {**with_tools(self._settings.parameters, tools), **asked}))

    def _without_secrets(self, text: str) -> str:
        """`text` for the log: a service may repeat in its error what it was sent."""
        settings = self._settings
        values = dict(parse_qsl(settings.openai_query)) | dict(settings.openai_headers)
        secrets = {"OPENAI_API_KEY": settings.openai_api_key, **values}
        # The longest first: one may contain another.
        for name, secret in sorted(secrets.items(), key=lambda item: -len(item[1])):
            if len(secret) >= MIN_SECRET_LENGTH:
                text = text.replace(secret, f"[{name}]")
        return text
