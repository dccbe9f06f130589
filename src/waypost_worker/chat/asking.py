"""Asks the model, and asks once more with half of the conversation if the model says that it is too long.

How many characters a model takes only the model knows: it counts tokens, and a local one takes what its
memory allows.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

from waypost_worker.chat.prompt import Prompt
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import ModelFailed, PromptTooLong, Unavailable
from waypost_worker.models.model import Model, ModelTool, Piece

MESSAGE_TOO_LONG = "The message is longer than the model takes: send a shorter one."
HALF_TOO_LONG = "The conversation is longer than the model takes, and so is its newer half: PROMPT_BUDGET sets less."

PromptBuilder = Callable[[int | None], Prompt]
"""Makes the prompt of a question, within so many characters; `None`: within those that are set."""

WithImages = Callable[[Sequence[ChatMessage]], Awaitable[list[ChatMessage]]]
"""Puts the images in the place of references to them."""


async def ask_model(
    model: Model,
    build: PromptBuilder,
    prompt: Prompt,
    with_images: WithImages,
    name: str | None = None,
    tools: Sequence[ModelTool] = (),
) -> AsyncGenerator[Piece, None]:
    """Yields the pieces of the answer to `prompt`, which is that of `build(None)`.

    `tools`: those that the model may call.

    Raises:
        ModelFailed: the model does, or the images can't be read.
        ModelBusy, ModelTimedOut, AnswerCutOff: as the model does.
        PromptTooLong: half of the prompt is too long too, or it is one message that can't be halved.
    """
    has_begun = False
    try:
        async with aclosing(model.stream(await _shown(prompt, with_images), name, tools)) as pieces:
            async for piece in pieces:
                has_begun = True
                yield piece
        return
    except PromptTooLong as failure:
        shorter = build(prompt.characters // 2)
        if has_begun or shorter.characters == prompt.characters:
            raise PromptTooLong(MESSAGE_TOO_LONG, failure.log_detail) from failure
    try:
        async with aclosing(model.stream(await _shown(shorter, with_images), name, tools)) as pieces:
            async for piece in pieces:
                yield piece
    except PromptTooLong as failure:
        raise PromptTooLong(HALF_TOO_LONG, failure.log_detail) from failure


async def _shown(prompt: Prompt, with_images: WithImages) -> list[ChatMessage]:
    try:
        return await with_images(prompt.messages)
    except Unavailable as failure:
        raise ModelFailed("The images of the conversation can't be read; ask again.", failure.code) from failure
