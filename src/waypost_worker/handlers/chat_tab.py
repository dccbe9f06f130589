"""The tab whose tools a chat's model may use, as the body of a question names it."""

from waypost_worker.chat.tab_tools import TabTools
from waypost_worker.context.auth import tab_session
from waypost_worker.context.request_context import RequestContext
from waypost_worker.context.session_tools import SessionTools
from waypost_worker.errors import InvalidBody
from waypost_worker.http.json_body import Body


class TabBody(Body, frozen=True):
    """The session of a tab whose tools the model may use: its code, or a guest's token."""

    code: str | None = None
    """The session's code. Not enough where the deployment sets `REQUIRE_TOKEN`."""
    token: str | None = None
    """A `guestToken` from joining."""


def check_tab(tab: TabBody | None) -> None:
    """Checks that `tab`, if there is one, is named in one of the two ways.

    Raises:
        InvalidBody
    """
    if tab is not None and (tab.code is None) == (tab.token is None):
        raise InvalidBody("The field `session` has either the `code` of a session or the `token` of a guest.")


async def tab_tools(context: RequestContext, tab: TabBody | None, end_ms: int | None = None) -> TabTools | None:
    """The tools of `tab`; `None` without one. `end_ms`: until when calls of them may go on.

    Raises:
        InvalidBody, and as `guest_session`
    """
    check_tab(tab)
    return None if tab is None else SessionTools(context, await tab_session(context, tab.code, tab.token), end_ms)
