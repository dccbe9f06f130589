"""The model port: whatever turns a conversation into an answer."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from waypost_worker.conversations.message import ChatMessage


class AnswerCutOff(Exception):
    """The model has reached the length that it may have; what it said is not all that it would have said."""


class Model(Protocol):
    """A language model, or what stands in for one."""

    @property
    def name(self) -> str:
        """What `/health` says: the provider, and the model where there is a choice; never a key or an address."""
        ...

    def stream(self, items: Sequence[ChatMessage], model: str | None = None) -> AsyncGenerator[str, None]:
        """The answer to the last of `items`, in pieces of text that are never empty, as they come.

        `model`: another one of the provider's models. Closing the generator ends the request behind it.

        Raises:
            ModelFailed, ModelTimedOut: whether something was said before or not; the caller knows.
            AnswerCutOff: after the last piece.
        """
        ...
