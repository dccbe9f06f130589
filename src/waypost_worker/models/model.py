"""The model port: whatever turns a conversation into an answer, and how its failures are reported."""

import traceback
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import msgspec

from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import ModelError, ModelFailed


class AnswerCutOff(Exception):
    """The model reached its length limit, or a filter cut it off: the answer ends before the model had finished it."""


class Reasoning(msgspec.Struct, frozen=True):
    """A piece of what a model thinks before it answers. It is no part of the answer, and no model is given it again."""

    text: str


Piece = str | Reasoning
"""A piece of an answer: text, or the reasoning before it."""


class Model(Protocol):
    """A language model, or a stand-in for one."""

    @property
    def name(self) -> str:
        """The provider, and the model where there is a choice, as `/health` shows it; never a key or an address."""
        ...

    def stream(self, items: Sequence[ChatMessage], model: str | None = None) -> AsyncGenerator[Piece, None]:
        """Yields the answer to the last of `items` in pieces, in order and never empty, as they arrive.

        `model`: another of the provider's models. Closing the generator ends the request behind it.

        Raises:
            ModelFailed, ModelBusy, ModelTimedOut: before the first piece or after any.
            PromptTooLong: before the first piece, usually.
            AnswerCutOff: after the last piece.
        """
        ...


@contextmanager
def raising_model_errors(log: Callable[[str], None]) -> Iterator[None]:
    """Around the use of a model's stream: logs what went wrong in the model, and raises it as a `ModelError`.

    `log` gets the detail, for the operator only. `AnswerCutOff` passes: it is no failure.

    Raises:
        ModelFailed, ModelBusy, ModelTimedOut: the model raised it, or, as `ModelFailed`, anything else.
        AnswerCutOff: the model raised it.
    """
    try:
        yield
    except AnswerCutOff:
        raise
    except ModelError as error:
        if error.log_detail:
            log(f"{error.code}: {error.log_detail}")
        raise
    except Exception as error:
        log(f"a model broke off\n{traceback.format_exc()}")
        raise ModelFailed("The model broke off.") from error
