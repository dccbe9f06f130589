"""The tab that an MCP client talks to, for one request: its session, its queues, and its host's presence."""

import msgspec

from waypost_worker.clock import to_iso
from waypost_worker.context.page_link import page_link
from waypost_worker.context.request_context import RequestContext
from waypost_worker.mcp.jsonrpc import TAB_AWAY, RpcError
from waypost_worker.mcp.signed_ids import IdSigner
from waypost_worker.queues.queue import Queues
from waypost_worker.security.client_address import network_of
from waypost_worker.security.tokens import owner_id
from waypost_worker.sessions.session import Session
from waypost_worker.version import VERSION

SERVER_INFO = {"name": "waypost", "title": "Waypost", "version": VERSION}


class Tab(msgspec.Struct, frozen=True):
    """One tab, as one request sees it. `session_id` is the client's legacy MCP session, or `""`; it does not identify
    the tab. `address`: the MCP address by which the client came, or `""`; with it, the session may be over (`is_over`):
    then `closed_tab.py` says what is still answered."""

    context: RequestContext
    session: Session
    session_id: str = ""
    address: str = ""
    is_over: bool = False

    @property
    def id_signer(self) -> IdSigner:
        """The signer of this tab's session, event and task ids."""
        return IdSigner(self.context.settings.signing_keys, self.session.code, self.address)

    @property
    def queues(self) -> Queues:
        """The tab's queues."""
        return self.context.queues(self.session)

    @property
    def session_ids(self) -> list[str]:
        """The ids that own the tab's documents and pages: one, or two while signing keys are rotated."""
        return [owner_id(key, self.session.code) for key in self.context.settings.signing_keys]

    @property
    def client_id(self) -> str:
        """What tells the legacy clients of the tab apart, since all of them count their requests from 0 or 1: the MCP
        session. Some hosted clients never send it. Such a client is known by its credential, its network and what its
        HTTP library says of itself; two that are equal in all of these can't be told apart.
        """
        if self.session_id:
            return self.session_id
        request = self.context.request
        fields = [request.headers.get(name) for name in ("authorization", "user-agent", "origin")]
        # No session's id has a bracket.
        return msgspec.json.encode([network_of(request.client_ip), *fields]).decode()

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        return self.context.clock.now_ms()

    def instructions(self) -> str:
        """The server's instructions for the model; no text of the host is in it."""
        # Without the code: it is a secret, and instructions are shown to a model.
        text = (
            "The tools are those of a program, most often a browser tab. They can be called while it is open. "
            "Some wait for a person."
        )
        if self.address and (link := self.link()):
            # Read when the client connects, perhaps long before the tab is opened.
            text += f" If there are no tools, the tab is closed: ask the user to open {link} and list them again."
        return text

    async def absence(self) -> RpcError | None:
        """The error that says why no call can be answered now, or `None` if the host is there."""
        online, seen_ms = await self.context.presence().last_seen(self.session.code)
        return None if online else self.away(seen_ms)

    def away(self, seen_ms: int | None) -> RpcError:
        """The error -31001, with the time since when the tab is away, and the page to open."""
        link = self.link()
        since = None if seen_ms is None else to_iso(seen_ms)
        state = f"is away since {since}" if since else "is closed" if self.is_over else "has not been there yet"
        advice = f"Open {link} and connect it again, then call the tool again." if link else "Open it again."
        data = {"code": "tab_away", "seenAt": since, "open": link}
        return RpcError(TAB_AWAY, f"The tab {state}. {advice}", data)

    def link(self) -> str | None:
        """The page to open: the host's own (`data.url`), or this deployment's; `None` if its address is unknown."""
        return page_link(self.context, self.session)
