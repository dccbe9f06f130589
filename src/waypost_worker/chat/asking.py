"""Asks the model, and asks once more with half of the conversation if the model says that it is too long.

How many characters a model takes only the model knows: it counts tokens, and a local one takes what its
memory allows.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from waypost_worker.chat.prompt import Prompt
from waypost_worker.errors import PromptTooLong
from waypost_worker.models.model import Model, Piece

MESSAGE_TOO_LONG = "The message is longer than the model takes: send a shorter one."
HALF_TOO_LONG = "The conversation is longer than the model takes, and so is its newer half: PROMPT_BUDGET sets less."

PromptBuilder = Callable[[int | None], Prompt]
"""Makes the prompt of a question, within so many characters; `None`: within those that are set."""


async def ask_model(
    model: Model, build: PromptBuilder, prompt: Prompt, name: str | None = None
) -> AsyncGenerator[Piece, None]:
    """Yields the pieces of the answer to `prompt`, which is that of `build(None)`.

    Raises:
        ModelFailed, ModelBusy, ModelTimedOut, AnswerCutOff: as the model does.
        PromptTooLong: half of the prompt is too long too, or it is one message that can't be halved.
    """
    has_begun = False
    try:
        async with aclosing(model.stream(prompt.messages, name)) as pieces:
            async for piece in pieces:
                has_begun = True
                yield piece
        return
    except PromptTooLong as failure:
        shorter = build(prompt.characters // 2)
        if has_begun or shorter.characters == prompt.characters:
            raise PromptTooLong(MESSAGE_TOO_LONG, failure.log_detail) from failure
    try:
        async with aclosing(model.stream(shorter.messages, name)) as pieces:
            async for piece in pieces:
                yield piece
    except PromptTooLong as failure:
        raise PromptTooLong(HALF_TOO_LONG, failure.log_detail) from failure
