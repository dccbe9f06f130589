"""The tab of an agent: the one at the MCP address that the operator has given the agent in AGENTS.

The callers of the agent do not own the tab. They learn nothing of it but what its tools return: neither its address,
nor its code, nor its page. The operator sees in the log that it is not there.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from waypost_worker.chat.tab_tools import TabTools, ToolReport
from waypost_worker.context.mcp_address import newest_session
from waypost_worker.context.request_context import RequestContext
from waypost_worker.context.session_tools import NoResult, SessionTools
from waypost_worker.errors import Missing
from waypost_worker.models.model import ModelTool
from waypost_worker.sessions.session import Session

PAGE = "Your tools belong to a web page of those who run this service. The user does not see it."
CLOSED = "The web page with your tools is closed, so you have none now. Where a request needs them, say so."
CLOSED_ERROR = ("tab_away", "The web page with this tool is closed. The tool was not called.")


async def agent_tab(context: RequestContext, agent: str, address: str) -> TabTools:
    """The tools of the tab at `address`, which `agent` has. Where no tab has the address any more, or none yet, there
    are no tools, and the model's instructions say so.

    Raises:
        StorageUnavailable, BudgetSpent: the address or the session can't be read.
    """
    try:
        session, is_over = await newest_session(context, address)
    except Missing as failure:
        context.log(f"the agent {agent} has no tab: {failure.code}")
        return NoTab()
    return AgentTab(context, agent, session, is_over=is_over)


class AgentTab(SessionTools):
    """The tools of `session`, which `agent` has. `is_over`: its tab is closed; the tools are those that it had last."""

    def __init__(self, context: RequestContext, agent: str, session: Session, *, is_over: bool) -> None:
        super().__init__(context, session)
        self._agent = agent
        self._is_over = is_over

    def about(self, *, has_tools: bool) -> str:
        return PAGE if has_tools else CLOSED if self._is_over else ""

    async def call(
        self, call_id: str, name: str, args: dict[str, Any], *, is_repeated: bool
    ) -> AsyncGenerator[ToolReport, None]:
        if self._is_over:
            self._log_absence()
            yield ToolReport(error=CLOSED_ERROR)
            return
        async with aclosing(super().call(call_id, name, args, is_repeated=is_repeated)) as reports:
            async for report in reports:
                yield report

    def _away(self, seen_ms: int | None) -> NoResult:
        self._log_absence()
        return super()._away(seen_ms)

    def _advice(self) -> str:
        return "It is not the user's page: say that it can't be reached now."

    def _log_absence(self) -> None:
        self._context.log(f"the tab of the agent {self._agent} is away")


class NoTab:
    """No tab, where an agent should have one."""

    tab = ""

    def about(self, *, has_tools: bool) -> str:
        return CLOSED

    async def tools(self) -> list[ModelTool]:
        return []

    async def call(
        self, call_id: str, name: str, args: dict[str, Any], *, is_repeated: bool
    ) -> AsyncGenerator[ToolReport, None]:
        yield ToolReport(error=CLOSED_ERROR)

    async def cancel(self, call_id: str) -> None:
        """There is nothing to cancel."""
