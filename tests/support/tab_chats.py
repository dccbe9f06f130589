"""Chats that use a tab: its tools, and what came of them."""

import asyncio
from typing import Any

from simulation.client import Client
from simulation.tab import Say, Tab, Tool, ToolError
from tests.support.chats import Chats
from tests.support.listener import Listener
from waypost_worker.models.model import ToolUse

NOTE = ToolUse("c1", "add_note", {"text": "Milk"})
BUY = ToolUse("c2", "shop_buy", {})
WAIT = ToolUse("c3", "wait", {"seconds": 5})


async def add_note(args: Any, _say: Say) -> Any:
    """Returns what it was given."""
    return {"noted": args["text"]}


async def refuse(_args: Any, _say: Say) -> Any:
    """A person says no."""
    raise ToolError("refused", "The user refused.")


async def wait(args: Any, say: Say) -> Any:
    """Says that it runs, and takes its time."""
    await say("running")
    await asyncio.sleep(args["seconds"])
    return "waited"


TOOLS: dict[str, Tool] = {"add_note": add_note, "shop.buy": refuse, "wait": wait}


class TabChats(Chats):
    """Chats with a tab; `open_tab` comes before the first question."""

    tab: Tab

    async def open_tab(self, tools: dict[str, Tool] | None = None, at: Client | None = None) -> Tab:
        """A tab with these tools, which listens."""
        client = at or self.here
        self.tab = Tab(lambda: client, await client.open_session(), TOOLS if tools is None else tools)
        await self.tab.offer()
        self.listening = asyncio.ensure_future(self.tab.connect())
        await self.tab.was_connected.wait()
        return self.tab

    async def close_tab(self) -> None:
        """The tab goes away, and says goodbye."""
        self.listening.cancel()
        await asyncio.wait({self.listening})
        url, session = f"/api/sessions/{self.tab.opened.code}/leave", self.tab.opened
        reply = await self.elsewhere.call("POST", url, {"instance": "the-tab-of-this-test"}, token=session.host)
        assert reply.status == 204, reply.body

    def naming_tab(self, **body: Any) -> dict[str, Any]:
        """The fields of a question that may use the tab."""
        return {"session": {"code": self.tab.opened.code}, **body}

    async def told(self, message: str = "Hi", at: Client | None = None, **body: Any) -> Listener:
        """The answer to a message that may use the tab, once it has ended."""
        return await self.turn(message, at, **self.naming_tab(**body))

    async def log(self) -> list[tuple[Any, ...]]:
        """The log of the last answer that is kept, in short."""
        events = (await self.items())[-1].tool_events
        return [(event.kind, event.name or event.value) for event in events]

    async def error(self) -> Any:
        """The error of the one call of the last answer that is kept."""
        [result] = [event for event in (await self.items())[-1].tool_events if event.kind == "result"]
        assert result.is_error
        return result.value
