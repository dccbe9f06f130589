"""The replies of the model within one answer: each goes on with the answer so far."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from functools import partial

from waypost_worker.chat.asking import WithImages, ask_model
from waypost_worker.chat.context import ChatContext
from waypost_worker.chat.prompt import Prompt
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.limits import PROMPT_CHARACTERS_PER_USE
from waypost_worker.models.model import ModelTool, Piece

ReplyBuilder = Callable[[ChatMessage | None, int | None], Prompt]
"""Makes the prompt of a reply: that of the question, and the answer so far. The number: as in `PromptBuilder`."""


class Replies:
    """Asks the model `name`. The first reply has been charged with its question; each further one counts on the asker's
    budget as a question does, `tools_characters` for the definitions of tools included."""

    def __init__(
        self,
        context: ChatContext,
        build: ReplyBuilder,
        with_images: WithImages,
        name: str | None,
        tools_characters: int,
    ) -> None:
        self._context = context
        self._build = build
        self._with_images = with_images
        self._name = name
        self._tools_characters = tools_characters
        self._has_asked = False

    async def ask(self, so_far: ChatMessage | None, tools: Sequence[ModelTool]) -> AsyncGenerator[Piece, None]:
        """Yields the next reply to the question, behind the answer `so_far`. `tools`: those that the model may call.

        Raises:
            RateLimited: it costs more than is left of the asker's budget.
            as `ask_model`
        """
        prompt = self._build(so_far, None)
        if self._has_asked:
            await self._context.charge(PROMPT_CHARACTERS_PER_USE + prompt.characters + self._tools_characters)
        self._has_asked = True
        build = partial(self._build, so_far)
        pieces = ask_model(self._context.model, build, prompt, self._with_images, self._name, tools)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece
