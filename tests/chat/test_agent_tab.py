"""An agent that has a tab of its own: its callers use it without naming it, and learn nothing of it."""

import asyncio
from typing import Any

import pytest

from simulation.client import Client
from simulation.tab import Tab
from tests.support.addresses import ADDRESS, SECRET, open_with, withdraw
from tests.support.chats import ADA, THREAD
from tests.support.listener import Listener
from tests.support.pages import Page
from tests.support.tab_chats import NOTE, TOOLS, TabChats, add_note
from waypost_worker.chat.offered_tools import DATA_RULE
from waypost_worker.context.agent_tab import CLOSED, CLOSED_ERROR, PAGE, NoTab
from waypost_worker.models.model import ToolUse
from waypost_worker.models.settings import Agent, ModelSettings

LONG = ToolUse("c3", "wait", {"seconds": 200})
ABANDONED_SECONDS = 100
APP_KEY = "the-only-key-of-this-app"
AGENTS = {"keeper": Agent("Keep notes.", None, ADDRESS), "poet": Agent("Rhyme.")}


class AgentChats(TabChats):
    """Chats with an agent, `keeper`, that has the tab at `ADDRESS`."""

    def __init__(self, *scripts: Any, **settings: Any) -> None:
        super().__init__(*scripts, app_keys=(APP_KEY,), model=ModelSettings(agents=AGENTS), **settings)

    def _new(self, seed: int, kv: Any) -> Client:
        client = super()._new(seed, kv)
        client.headers["Authorization"] = f"Bearer {APP_KEY}"
        return client

    async def open_at_address(self, **body: Any) -> Tab:
        """A new session of the agent's tab, which listens."""
        self.tab = Tab(lambda: self.here, await open_with(self.here, **body), TOOLS)
        await self.tab.offer()
        self.listening = asyncio.ensure_future(self.tab.connect())
        await self.tab.was_connected.wait()
        return self.tab

    async def end_session(self) -> None:
        self.listening.cancel()
        await self.here.call("DELETE", f"/api/sessions/{self.tab.opened.code}", token=self.tab.opened.host)

    async def keep(self, at: Client | None = None, **body: Any) -> Listener:
        """The answer of `keeper` to a question that names no session."""
        return await self.turn("Hi", at, agent="keeper", **body)

    def instructions(self, number: int = -1) -> str:
        return str(self.model.asked[number][0].content)

    def everything(self, stream: Listener) -> str:
        """What callers and logs have been shown."""
        return f"{[event.__dict__ for event in stream.events]} {self.here.log} {self.model.asked}"


async def test_an_agent_uses_its_own_tab_for_every_caller():
    at = AgentChats([NOTE], ["It is noted."])
    await at.open_at_address()
    stream = await at.keep(messageId="m1")
    assert [(tool, args) for _, tool, args in at.tab.runs] == [("add_note", {"text": "Milk"})]
    assert stream.data("tool_result")[0]["result"] == {"noted": "Milk"}
    assert at.instructions() == f"Keep notes.\n\n{PAGE} {DATA_RULE}"
    assert ADDRESS not in at.everything(stream)
    assert at.tab.opened.code not in at.everything(stream)


async def test_another_agent_and_none_have_no_tools():
    at = AgentChats([NOTE], ["Well."])
    await at.open_at_address()
    await at.turn("Hi", agent="poet")
    await at.turn("Hi", threadId="another")
    assert at.model.tools[0] == at.model.tools[2] == []
    assert at.tab.runs == []


async def test_a_thread_that_has_the_agent_keeps_its_tab_where_a_question_does_not_name_it():
    at = AgentChats(["Hello."], [NOTE], ["Noted."])
    await at.open_at_address()
    await at.keep()
    await at.turn("Note it.", at.elsewhere)
    assert len(at.tab.runs) == 1


async def test_a_session_that_the_question_names_is_used_instead():
    at = AgentChats([NOTE], ["Noted."])
    await at.open_at_address()
    agents, opened = at.tab, await at.here.open_session()
    own = Tab(lambda: at.here, opened, {"add_note": add_note})
    await own.offer()
    listening = asyncio.ensure_future(own.connect())
    await own.was_connected.wait()
    await at.keep(session={"code": opened.code})
    assert (len(own.runs), agents.runs) == (1, [])
    assert "that the user has open" in at.instructions()
    listening.cancel()


async def test_a_fork_uses_the_tab_of_the_agent_that_it_takes_over():
    at = AgentChats(["Hello."], [NOTE], ["Noted."])
    await at.open_at_address()
    await at.keep()
    body = {"forkFromThreadId": THREAD, "threadId": "fork", "resourceId": ADA, "message": "Note it."}
    reply = await at.here.call("POST", "/api/chat/fork", body)
    assert reply.status == 200
    assert len(at.tab.runs) == 1


async def test_an_answer_that_goes_on_with_outputs_of_a_page_has_the_agent_s_tab_still():
    at = AgentChats([ToolUse("c1", "ask_user", {})], [NOTE], ["It is noted."])
    await at.open_at_address()
    page = Page(at, agent="keeper")
    await page.ask()
    page.put(0, "yes")
    await page.go_on()
    assert [tool for _, tool, _ in at.tab.runs] == ["add_note"]
    assert at.instructions().startswith(f"Keep notes.\n\n{PAGE} The page that the user writes in runs these tools: ")


async def test_the_next_session_of_the_browser_is_the_agent_s_tab_then():
    at = AgentChats([NOTE], ["Noted."], [NOTE], ["Noted."])
    first = await at.open_at_address()
    await at.keep()
    await at.end_session()
    second = await at.open_at_address()
    await at.keep(threadId="next")
    assert (len(first.runs), len(second.runs)) == (1, 1)


async def test_a_tab_that_is_away_is_told_without_its_page_and_logged():
    at = AgentChats([NOTE], ["Sorry."])
    await at.open_at_address(data={"url": "https://office.example/secret"})
    at.listening.cancel()
    await asyncio.sleep(300)
    stream = await at.keep()
    error = await at.error()
    assert error["code"] == "tab_away"
    assert error["message"].startswith("The tab is away since 2026-01-01T00:0")
    assert error["message"].endswith("It is not the user's page: say that it can't be reached now.")
    assert "office.example" not in at.everything(stream)
    assert sum("the tab of the agent keeper is away" in line for line in at.here.log) == 1


async def test_a_tab_whose_session_is_over_gets_no_request_and_the_model_is_told_immediately():
    at = AgentChats([NOTE], ["Sorry."])
    await at.open_at_address()
    await at.end_session()
    began = at.clock.now_ms()
    await at.keep()
    assert await at.error() == {"code": CLOSED_ERROR[0], "message": CLOSED_ERROR[1]}
    assert at.clock.now_ms() - began < 100
    assert await at.keys("req:") == []
    assert sum("the tab of the agent keeper is away" in line for line in at.here.log) == 1


async def test_the_tools_of_a_session_that_has_expired_are_gone_and_the_model_is_told():
    at = AgentChats(["Sorry."])
    await at.open_at_address()
    at.listening.cancel()
    await asyncio.sleep(3 * 24 * 3600)
    await at.keep()
    assert at.model.tools == [[]]
    assert at.instructions() == f"Keep notes.\n\n{CLOSED}"


@pytest.mark.parametrize(("is_withdrawn", "code"), [(True, "address_withdrawn"), (False, "address_not_found")])
async def test_an_address_that_leads_nowhere_leaves_the_agent_without_tools_and_is_logged(
    is_withdrawn: bool, code: str
):
    at = AgentChats(["Sorry."])
    if is_withdrawn:
        await at.open_at_address()
        assert (await withdraw(at.here)).status == 204
    stream = await at.keep()
    assert stream.names() == ["start", "delta", "done"]
    assert at.model.tools == [[]]
    assert at.instructions() == f"Keep notes.\n\n{CLOSED}"
    assert sum(f"the agent keeper has no tab: {code}" in line for line in at.here.log) == 1
    for secret in (ADDRESS, SECRET):
        assert secret not in at.everything(stream)


async def test_a_call_that_broke_off_is_not_made_again_in_the_next_session_of_the_tab():
    at = AgentChats([LONG], ["I don't know."])
    first = await at.open_at_address()
    asking = asyncio.ensure_future(at.keep(messageId="m1"))
    await asyncio.sleep(3)
    at.evict()
    asking.cancel()
    at.listening.cancel()
    await asyncio.sleep(ABANDONED_SECONDS)
    second = await at.open_at_address()
    await at.keep(messageId="m1")
    assert (await at.error())["code"] == "other_tab"
    assert (len(first.runs), second.runs) == (1, [])


async def test_a_store_that_does_not_answer_refuses_the_question():
    at = AgentChats(["Hello."])
    at.kv.fails = lambda operation, key: key.startswith("address:")
    assert (await at.refused("Hi", agent="keeper"))["code"] == "storage_unavailable"


async def test_where_there_is_no_tab_a_call_has_an_error():
    nowhere = NoTab()
    reports = [report async for report in nowhere.call("id", "add_note", {}, is_repeated=False)]
    assert [report.error for report in reports] == [CLOSED_ERROR]
    await nowhere.cancel("id")
