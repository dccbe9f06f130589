"""The tab that a client talks to, as one request sees it: its session, its queues, and whether somebody is there."""

from urllib.parse import urlsplit

import msgspec

from waypost_worker.clock import to_iso
from waypost_worker.context.request_context import RequestContext
from waypost_worker.mcp.jsonrpc import TAB_AWAY, RpcError
from waypost_worker.mcp.signed_ids import IdSigner
from waypost_worker.queues.queue import Queues
from waypost_worker.security.tokens import owner_id
from waypost_worker.sessions.session import Session
from waypost_worker.version import VERSION

LOCAL = ("localhost", "127.0.0.1", "[::1]")
"""Where this is served without TLS."""

SERVER_INFO = {"name": "waypost", "title": "Waypost", "version": VERSION}


class Tab(msgspec.Struct, frozen=True):
    """`session_id` is the client's legacy session, or nothing; it says nothing about which tab this is."""

    context: RequestContext
    session: Session
    session_id: str = ""

    @property
    def id_signer(self) -> IdSigner:
        """What signs for this tab."""
        return IdSigner(self.context.settings.signing_keys, self.session.code)

    @property
    def queues(self) -> Queues:
        """The tab's queues."""
        return self.context.queues(self.session.code)

    @property
    def session_ids(self) -> list[str]:
        """What owns the tab's documents and pages: one id, or two while a signing key replaces another."""
        return [owner_id(key, self.session.code) for key in self.context.settings.signing_keys]

    def now_ms(self) -> int:
        """The time."""
        return self.context.clock.now_ms()

    def instructions(self) -> str:
        """What the model is told about this server; none of it is the host's."""
        # Not the code: it is a secret, and this is put before a model.
        return (
            "The tools are those of a program, most often a browser tab. They can be called while it is open. "
            "Some wait for a person."
        )

    async def absence(self) -> RpcError | None:
        """Why a call can't be answered now, or `None` if somebody is there to answer it."""
        online, seen_ms = await self.context.presence().last_seen(self.session.code)
        return None if online else self.away(seen_ms)

    def away(self, seen_ms: int | None) -> RpcError:
        """The error that says since when the tab is away, and what to open."""
        link = self.link()
        since = None if seen_ms is None else to_iso(seen_ms)
        told = f"is away since {since}" if since else "has not been there yet"
        what = f"Open {link} and connect it again, then call the tool again." if link else "Open it again."
        data = {"code": "tab_away", "seenAt": since, "open": link}
        return RpcError(TAB_AWAY, f"The tab {told}. {what}", data)

    def link(self) -> str | None:
        """What is to be opened: the address that the host gave as `data.url`, or this deployment's own page."""
        data = self.session.data
        url = data.get("url") if isinstance(data, dict) else None
        if isinstance(url, str) and url.startswith(("https://", "http://")):
            return url
        host = self.context.request.headers.get("host")
        if not host:
            return None
        is_local = urlsplit(f"//{host}").netloc.rpartition(":")[0] in LOCAL or host in LOCAL
        return f"{'http' if is_local else 'https'}://{host}/"
