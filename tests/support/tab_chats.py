"""Chats that use a tab: its tools, and what came of them."""

import asyncio
from typing import Any

from simulation.client import Client
from simulation.scripted_model import Script
from simulation.tab import Say, Tab, Tool, ToolError
from tests.support.chats import ADA, THREAD, Chats
from tests.support.listener import Listener


async def add_note(args: Any, _say: Say) -> Any:
    """Returns what it was given."""
    return {"noted": args["text"]}


async def refuse(_args: Any, _say: Say) -> Any:
    """A person says no."""
    raise ToolError("refused", "The user refused.")


TOOLS: dict[str, Tool] = {"add_note": add_note, "shop.buy": refuse}


class TabChats(Chats):
    """Chats with a tab, which is `here`; `open_tab` before the first question that may use it."""

    tab: Tab

    async def open_tab(self, tools: dict[str, Tool] | None = None, at: Client | None = None) -> Tab:
        """A tab with these tools, which listens."""
        client = at or self.here
        self.tab = Tab(lambda: client, await client.open_session(), TOOLS if tools is None else tools)
        await self.tab.offer()
        self.listening = asyncio.ensure_future(self.tab.connect())
        await self.tab.was_connected.wait()
        return self.tab

    def close_tab(self) -> None:
        """The tab goes away without a word."""
        self.listening.cancel()

    async def told(self, message: str = "Hi", at: Client | None = None, **body: Any) -> Listener:
        """The answer to a message that may use the tab, once it has ended."""
        return await self.turn(message, at, **{"session": {"code": self.tab.opened.code}, **body})

    async def log(self) -> list[tuple[Any, ...]]:
        """The log of the last answer that is kept, in short."""
        events = (await self.items())[-1].tool_events
        return [
            (event.kind, event.name, event.value) if event.kind == "call" else (event.kind, event.value)
            for event in events
        ]


__all__ = ["ADA", "THREAD", "TOOLS", "Script", "TabChats"]
