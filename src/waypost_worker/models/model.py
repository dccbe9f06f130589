"""The model port: whatever turns a conversation into an answer, and how its failures are reported."""

import traceback
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import msgspec

from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import ModelError, ModelFailed, RateLimited


class AnswerCutOff(Exception):
    """The model reached its length limit, or a filter cut it off: the answer ends before the model had finished it."""


class Reasoning(msgspec.Struct, frozen=True):
    """A piece of what a model thinks before it answers. It is no part of the answer."""

    text: str


class ToolUse(msgspec.Struct, frozen=True):
    """A model's call of a tool, whole.

    `id`: the model's own id of the call, or a made-up one if its service gave none; unique within the answer.
    `name`: as the model said it. `args`: a JSON object, or `None` with the `problem` of what the model sent instead.
    """

    id: str
    name: str
    args: Any
    problem: str = ""


Piece = str | Reasoning | ToolUse
"""A piece of an answer: text, the reasoning before it, or a call of a tool after it."""


class ModelTool(msgspec.Struct, frozen=True):
    """A tool that a model may call. `schema`: the JSON Schema of its arguments, an object."""

    name: str
    description: str
    schema: dict[str, Any]


class Model(Protocol):
    """A language model, or a stand-in for one."""

    @property
    def name(self) -> str:
        """The provider, and the model where there is a choice, as `/health` shows it; never a key or an address."""
        ...

    def takes_reasoning(self, model: str | None = None) -> bool:
        """Whether the model is given what it thought before its earlier answers, because its service has demanded it.
        It counts in a prompt then. `model`: as for `stream`."""
        ...

    def stream(
        self, items: Sequence[ChatMessage], model: str | None = None, tools: Sequence[ModelTool] = ()
    ) -> AsyncGenerator[Piece, None]:
        """Yields the answer to the last of `items` in pieces, in order and never empty, as they arrive.

        `model`: another of the provider's models. `tools`: those that the model may call; its calls are yielded whole,
        after the text. Closing the generator ends the request behind it.

        Raises:
            ModelFailed, ModelBusy, ModelTimedOut: before the first piece or after any.
            PromptTooLong: before the first piece, usually.
            AnswerCutOff: after the last piece.
        """
        ...


@contextmanager
def raising_model_errors(log: Callable[[str], None]) -> Iterator[None]:
    """Around the use of a model's stream: logs what went wrong in the model, and raises it as a `ModelError`.

    `log` gets the detail, for the operator only. `AnswerCutOff` passes: it is no failure. So does
    `RateLimited`, which is none of the model's.

    Raises:
        ModelFailed, ModelBusy, ModelTimedOut: the model raised it, or, as `ModelFailed`, anything else.
        AnswerCutOff: the model raised it.
        RateLimited: a further step of the answer costs more than is left of the asker's budget.
    """
    try:
        yield
    except (AnswerCutOff, RateLimited):
        raise
    except ModelError as error:
        if error.log_detail:
            log(f"{error.code}: {error.log_detail}")
        raise
    except Exception as error:
        log(f"a model broke off\n{traceback.format_exc()}")
        raise ModelFailed("The model broke off.") from error
