"""The tools that a model may use while it answers: a port. Chats know no queues, and so no tabs."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Protocol

import msgspec

from waypost_worker.models.model import ModelTool


class ToolReport(msgspec.Struct, frozen=True):
    """What a tab says of a call: progress, or, `is_final`, how it ended. `result`: JSON, of any size.
    `error`: a code and a sentence, instead of a result."""

    result: msgspec.Raw = msgspec.Raw(b"null")
    error: tuple[str, str] | None = None
    is_final: bool = True


class TabTools(Protocol):
    """The tools of one tab."""

    def about(self, *, has_tools: bool) -> str:
        """What the model's instructions say of the tab. `has_tools`: whether it is offered any of its
        tools."""
        ...

    @property
    def tab(self) -> str:
        """Names the tab: a call that another tab was sent can't be repeated here."""
        ...

    async def tools(self) -> list[ModelTool]:
        """The tools that the tab offers, under its own names, or that it offered before it went away.

        Raises:
            Unavailable: they can't be read.
        """
        ...

    def call(
        self, call_id: str, name: str, args: dict[str, Any], *, is_repeated: bool
    ) -> AsyncGenerator[ToolReport, None]:
        """Sends the tab the call `call_id`. Yields its progress, and last a final report: what the tab returned, or why
        there is no result. Raises nothing of its own.

        The tab runs a `call_id` once, however often it is sent. `is_repeated`: it may have been sent before; its
        reports are then yielded from the first one on.
        """
        ...

    async def cancel(self, call_id: str) -> None:
        """Tells the tab that nothing waits for this call any more. Raises nothing of its own."""
        ...


TabOfAgent = Callable[[str, str], Awaitable[TabTools]]
"""Finds the tools that an agent has of its own: by its name, and the address of its tab."""
